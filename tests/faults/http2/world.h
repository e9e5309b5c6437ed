// A client and a server of libnghttp2 with the session between them.
#pragma once

#include <string>
#include <vector>

#include "tests/faults/http2/carrier.h"
#include "tests/faults/http2/endpoint.h"

namespace breakwire::http2::testing {

/// The ruling of one fault.
inline faults::Ruling ruling(faults::WireAction action, std::string by = "f") {
  return {.action = std::move(action), .by = {std::move(by)}};
}

faults::Metadata request_fields(const std::string& method, faults::Metadata more = {});
faults::Metadata response_fields();
faults::Metadata ok_trailers();

class World : public Carrier {
 public:
  struct Options {
    Endpoint::Options client;
    Endpoint::Options server;
    Limits limits;
    uint64_t seed = 0;  // these as in Carrier::Options
    bool write_at_once = true;
    bool slow_sockets = false;
  };
  World() : World(Options{}) {}
  explicit World(Options options);

  /// The server answers every request with its own body, OK.
  void echo();
  std::vector<std::string> complaints() const;

  Endpoint client;
  Endpoint server;
};

}  // namespace breakwire::http2::testing
