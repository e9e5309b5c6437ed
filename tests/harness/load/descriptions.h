// The kiosk's files, as descriptors and as files on disk.
#pragma once

#include <google/protobuf/descriptor.pb.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "kiosk/v1/kiosk.pb.h"

namespace breakwire::load {

inline google::protobuf::FileDescriptorProto proto_of(const std::string& file) {
  // Naming a message keeps the generated files linked.
  const auto* pool = kiosk::v1::BuyRequest::descriptor()->file()->pool();
  google::protobuf::FileDescriptorProto proto;
  pool->FindFileByName(file)->CopyTo(&proto);
  return proto;
}

inline std::vector<google::protobuf::FileDescriptorProto> kiosk_files() {
  return {proto_of("kiosk/v1/kiosk.proto"), proto_of("kiosk/v1/item.proto"),
          proto_of("kiosk/v1/money.proto")};
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "breakwire-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string write(const std::string& name, const std::string& bytes) const {
    const auto path = path_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

 private:
  std::filesystem::path path_;
};

/// A place in a scenario file for errors to point at.
inline json::Span some_place() {
  static const auto file =
      json::parse("{\n  \"load\": { \"method\": \"kiosk.v1.KioskService/Buy\" }\n}", "kiosk.json").value();
  return file.find("load")->find("method")->span;
}

/// Replaces what differs from run to run.
inline std::string scrubbed(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace breakwire::load
