// The list of all fault kinds: a new kind is one line here and one file beside it.
#include "faults/kinds/kind.h"

// In the order of the documentation.
// clang-format off
#define BREAKWIRE_FAULT_KINDS(kind) \
  kind(latency) \
  kind(bandwidth) \
  kind(stall) \
  kind(blackhole) \
  kind(half_open) \
  kind(accept_hang) \
  kind(refuse) \
  kind(reset) \
  kind(close) \
  kind(truncate) \
  kind(slice) \
  kind(corrupt) \
  kind(grpc_status) \
  kind(grpc_delay) \
  kind(grpc_hang) \
  kind(lose_response) \
  kind(rst_stream) \
  kind(goaway) \
  kind(drop_connection) \
  kind(http_status) \
  kind(missing_trailers) \
  kind(truncate_message) \
  kind(metadata) \
  kind(mute_ping) \
  kind(freeze_window) \
  kind(settings) \
  kind(stream_bandwidth) \
  kind(signal) \
  kind(kill) \
  kind(pause) \
  kind(restart) \
  kind(limit) \
  kind(starve_cpu) \
  kind(command)
// clang-format on

namespace breakwire::faults {

#define BREAKWIRE_DECLARE(name) FaultKind name##_kind();
BREAKWIRE_FAULT_KINDS(BREAKWIRE_DECLARE)
#undef BREAKWIRE_DECLARE

const std::vector<FaultKind>& fault_kinds() {
#define BREAKWIRE_CALL(name) name##_kind(),
  static const std::vector<FaultKind> all{BREAKWIRE_FAULT_KINDS(BREAKWIRE_CALL)};
#undef BREAKWIRE_CALL
  return all;
}

const FaultKind* find_fault_kind(std::string_view name) {
  for (const FaultKind& kind : fault_kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::vector<std::string> fault_kind_names() {
  std::vector<std::string> names;
  for (const FaultKind& kind : fault_kinds()) names.push_back(kind.name);
  return names;
}

}  // namespace breakwire::faults
