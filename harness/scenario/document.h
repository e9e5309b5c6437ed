// A scenario file and what it includes, merged into one tree. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "harness/scenario/read.h"

namespace breakwire::scenario {

/// An error inside `where` also has to do with `also`: the key that it overrides, the variable's definition.
struct Note {
  json::Span where;
  Place also;
};

struct Document {
  json::Value root;  // an object, in which every section that is merged is an object or a list
  std::vector<Note> notes;
  std::vector<std::string> files;  // in the order in which they were reached; the first is the scenario
  /// False when a part is missing (an include that cannot be read, a section of the wrong kind): then an
  /// unknown name may be this part's fault and is no error of its own.
  bool whole = true;
};

/// Reads `path` and its includes. Included files come first, in their order; what follows overrides: members
/// of `services`, `edges`, `load`, `vars`, `matrix`, `twins` and `waive` by key, entries of `timeline` and
/// `expect` by `id` (in place), the rest as a whole. `tags` and `secrets` are joined. `$schema`, `version`,
/// `name` and `description` speak of their own file and are not taken over. A file that is reached twice
/// counts once. nullopt when the scenario file itself cannot be read or is not a JSON object.
std::optional<Document> read_document(const std::string& path, const ReadFile& read_file, ErrorList& errors);

}  // namespace breakwire::scenario
