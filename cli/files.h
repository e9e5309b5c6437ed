// From the paths of a command line to scenarios. Reads files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/run/result.h"
#include "harness/scenario/scenario.h"

namespace breakwire::cli {

struct Selection {
  std::vector<std::string> paths;
  std::vector<std::string> tags;  // scenarios with any of them; none: all
  std::vector<std::string> only;  // scenario ids; none: all
  std::optional<uint64_t> seed;
};

struct Selected {
  std::vector<scenario::Scenario> scenarios;           // in the order of the paths, files of a folder by name
  std::vector<std::pair<std::string, ErrorList>> bad;  // file, what is wrong with it
  ErrorList wrong;                                     // flags that name what is nowhere
  std::vector<std::string> notes;                      // what was passed over
  size_t files = 0;
};

/// A folder stands for the `*.json` files directly in it, without `*.schema.json`; what lies deeper is for
/// `include` and is noted, not run. A file whose scenario has the name of an earlier file's is bad.
Selected select(const Selection& selection);

}  // namespace breakwire::cli
