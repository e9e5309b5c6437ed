// What one end of each call saw of it: plain data that does not depend on the language of that end. C++
// writes it down here; Python prints it as JSON lines (seen.py), which are read here.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "faults/metadata.h"

namespace breakwire::interop {

/// Metadata by which a server knows which call it serves: a run is all calls over one way ("direct",
/// "relayed"), and of a run each call has a name.
inline constexpr auto run_key = "x-interop-run";
inline constexpr auto call_key = "x-interop-call";

/// The first `size` bytes of a pattern in which a misplaced byte shows. Compressible; up to 400,000 bytes.
std::string payload(size_t size);

struct Message {
  uint64_t size = 0;               // of its bytes, uncompressed
  uint32_t crc = 0;                // CRC-32 of them
  std::optional<bool> compressed;  // whether it came compressed, where the end can tell
  bool operator==(const Message&) const = default;
};
Message message_of(const google::protobuf::MessageLite& message, std::optional<bool> compressed = {});

struct CallerSaw {
  int code = -1;
  std::string message;
  faults::Metadata initial, trailing;  // of binary values the hexadecimal digits
  std::vector<Message> responses;
  bool operator==(const CallerSaw&) const = default;
};

struct CalleeSaw {
  std::string method;
  std::string authority;      // where the end can tell
  faults::Metadata metadata;  // without run_key and call_key
  std::vector<Message> requests;
  bool cancelled = false;
  bool operator==(const CalleeSaw&) const = default;
};

// How GoogleTest shows them.
void PrintTo(const CallerSaw& saw, std::ostream* out);
void PrintTo(const CalleeSaw& saw, std::ostream* out);

/// A field of metadata as an end saw it.
faults::Field field_of(std::string_view name, std::string_view value);

/// By run and call. Both ends may write at the same time.
class Log {
 public:
  void add(const std::string& run, const std::string& call, CallerSaw saw);
  void add(const std::string& run, const std::string& call, CalleeSaw saw);
  /// The JSON lines of a process, from its beginning; those that are known already change nothing.
  void read(const std::string& lines);

  std::optional<CallerSaw> caller(const std::string& run, const std::string& call) const;
  std::optional<CalleeSaw> callee(const std::string& run, const std::string& call) const;

 private:
  using Key = std::pair<std::string, std::string>;
  mutable std::mutex mutex_;
  std::map<Key, CallerSaw> callers_;
  std::map<Key, CalleeSaw> callees_;
};

}  // namespace breakwire::interop
