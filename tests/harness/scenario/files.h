// Scenario files for tests, made of text.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "harness/scenario/read.h"

namespace breakwire::scenario {

using Files = std::map<std::string, std::string>;

inline ReadFile reader(const Files& files) {
  return [&files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
}

/// What the file system has.
inline std::optional<std::string> read_disk(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The rendered errors of `files`, whose scenario is "test.json"; empty when there are none.
inline std::string errors_of(const Files& files) {
  const auto read = read_scenarios("test.json", reader(files));
  return read ? "" : render(read.errors());
}

/// A topology with an edge of each sort, for files that are about something else.
inline const std::string small_shop = R"(
  "services": {
    "db": { "postgres": {} },
    "shop": { "run": ["${bin}/shop", "--listen=${address.grpc}", "--database=${shop->db}"], "ports": { "metrics": "any" } },
    "legacy": { "external": "127.0.0.1:50051" }
  },
  "edges": { "client->shop": {}, "shop->db": {}, "shop->legacy": {} },
  "load": { "buyers": { "via": "client->shop", "method": "s.Shop/Buy", "for": "2s" } })";

/// "test.json" with the small shop and `more` members.
inline Files with_shop(const std::string& more) {
  return {{"test.json", "{ \"version\": 1," + small_shop + (more.empty() ? "" : ",\n" + more) + " }"}};
}

}  // namespace breakwire::scenario
