// Text -> scenarios, or everything that is wrong. Pure: files are read by whoever calls.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "harness/scenario/scenario.h"

namespace breakwire::scenario {

/// Answers the text of a file, or nullopt when it cannot be read. Used for the scenario, for what it
/// includes, and to see that the other files it names (SQL, descriptors) are there.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

struct ReadOptions {
  std::optional<uint64_t> seed;  // overrides the file's
};

/// Everything one file expands to: the scenario itself (for each combination of its `matrix`), then its
/// twins, which take the first combination. Errors come in the order of the files and their lines; one inside
/// an overridden key, or inside what a variable brought in, names the other place in `also`.
Result<std::vector<Scenario>> read_scenarios(const std::string& path, const ReadFile& read_file,
                                             const ReadOptions& options = {});

/// The JSON Schema (draft 2020-12) of scenario files, derived from the descriptions.
json::Value scenario_schema();

/// What `explain` says of the file: its top, then one section after another.
struct FormatPart {
  std::string name;  // "scenario", "services", "load", …
  std::string what;  // "a load": what its fields describe
  std::vector<FieldInfo> fields;
};
std::vector<FormatPart> scenario_format();

}  // namespace breakwire::scenario
