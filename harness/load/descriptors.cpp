#include "harness/load/descriptors.h"

#include <fstream>
#include <map>
#include <sstream>

#include "harness/load/protoc.h"
#include "harness/load/reflection.h"

namespace breakwire::load {
namespace {

namespace pb = google::protobuf;

class Complaints : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const pb::Message*, ErrorLocation,
                const std::string& message) override {
    if (first.empty()) first = file + ": " + element + ": " + message;
  }
  std::string first;
};

/// Adds files to a pool, imports first.
class PoolBuilder {
 public:
  PoolBuilder(const Catalogue& catalogue, pb::DescriptorPool& pool) : catalogue_(catalogue), pool_(pool) {
    for (const auto& file : catalogue.files) files_.emplace(file.name(), &file);
  }

  /// Empty, or what is wrong.
  std::string add(const pb::FileDescriptorProto& file) {
    if (!begun_.insert(file.name()).second) return {};
    for (const auto& import : file.dependency()) {
      if (std::string wrong = add_import(import, file.name()); !wrong.empty()) return wrong;
    }
    Complaints complaints;
    if (pool_.BuildFileCollectingErrors(file, &complaints) == nullptr) return complaints.first;
    return {};
  }

 private:
  std::string add_import(const std::string& name, const std::string& importer) {
    if (auto found = files_.find(name); found != files_.end()) return add(*found->second);
    if (pool_.FindFileByName(name) != nullptr) return {};
    const pb::FileDescriptor* own = pb::DescriptorPool::generated_pool()->FindFileByName(name);
    if (!name.starts_with("google/protobuf/") || own == nullptr)
      return "`" + importer + "` imports `" + name + "`, which " + catalogue_.source + " does not have";
    pb::FileDescriptorProto copy;
    own->CopyTo(&copy);
    return add(copy);
  }

  const Catalogue& catalogue_;
  pb::DescriptorPool& pool_;
  std::map<std::string, const pb::FileDescriptorProto*> files_;
  std::set<std::string> begun_;
};

Result<Catalogue> read_descriptor_sets(const std::vector<std::string>& paths, const json::Span& span) {
  ErrorList errors;
  pb::FileDescriptorSet all;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream bytes;
    if (in) bytes << in.rdbuf();
    pb::FileDescriptorSet set;
    if (!in) {
      errors.push_back(json::error_at(span, "cannot read the descriptor set `" + path + "`"));
    } else if (!set.ParseFromString(bytes.str()) || set.file().empty()) {
      errors.push_back(json::error_at(span, "`" + path + "` is not a descriptor set",
                                      "make one with protoc --include_imports --descriptor_set_out=FILE"));
    } else {
      all.MergeFrom(set);
    }
  }
  if (!errors.empty()) return errors;
  if (paths.empty()) return json::error_at(span, "no descriptor set is named");
  return catalogue_of(std::move(all), paths.size() == 1 ? "`" + paths[0] + "`" : "the descriptor sets");
}

}  // namespace

Catalogue catalogue_of(pb::FileDescriptorSet set, std::string source) {
  Catalogue catalogue{.source = std::move(source), .files = {}, .services = {}};
  for (auto& file : *set.mutable_file()) {
    for (const auto& service : file.service()) {
      catalogue.services.push_back(file.package().empty() ? service.name()
                                                          : file.package() + "." + service.name());
    }
    catalogue.files.push_back(std::move(file));
  }
  return catalogue;
}

Result<Catalogue> gather(const scenario::Descriptors& descriptors, const std::string& target,
                         const std::string& service, Duration within, const json::Span& span,
                         const std::stop_token& stop) {
  switch (descriptors.from) {
    case scenario::Descriptors::From::reflection:
      return ask_server(target, service, within, span, stop);
    case scenario::Descriptors::From::descriptor_set:
      return read_descriptor_sets(descriptors.files, span);
    case scenario::Descriptors::From::protos:
      return compile_protos(descriptors.files, descriptors.import_paths, span);
  }
  return json::error_at(span, "no source of descriptions");
}

Result<std::unique_ptr<pb::DescriptorPool>> build_pool(const Catalogue& catalogue, const json::Span& span) {
  auto pool = std::make_unique<pb::DescriptorPool>();
  PoolBuilder builder(catalogue, *pool);
  for (const auto& file : catalogue.files) {
    if (std::string wrong = builder.add(file); !wrong.empty()) return json::error_at(span, wrong);
  }
  return pool;
}

}  // namespace breakwire::load
