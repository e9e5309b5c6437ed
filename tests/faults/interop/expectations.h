// What must come of each interop call, whatever lies between its ends (grpc/grpc
// doc/interop-test-descriptions.md), and a few that go beyond that document: repeated_metadata,
// status_details and timeout_that_the_server_sees.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/faults/interop/seen.h"

namespace breakwire::interop {

enum class Language { cpp, python };

struct Expectation {
  std::string call;
  std::string method;
  int code = 0;
  std::optional<std::string> message = "";  // nullopt: in the library's own words
  faults::Metadata initial, trailing;       // the caller's, all of it
  faults::Metadata metadata;                // among what the callee got; of each name all values, in order
  std::vector<Message> requests, responses;
  bool cancelled = false;      // as the callee sees it
  bool surely_arrives = true;  // else the caller may give up before anything of the call has left it
  bool is_implemented = true;  // else the callee has nothing to say about it
};

/// In no particular order.
std::vector<Expectation> expectations(Language client, Language server);

}  // namespace breakwire::interop
