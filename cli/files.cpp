#include "cli/files.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/scenario/read.h"

namespace breakwire::cli {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_file(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool has_json(const fs::path& folder) {
  std::error_code error;
  return std::any_of(fs::directory_iterator(folder, error), {},
                     [](const auto& entry) { return entry.path().extension() == ".json"; });
}

/// The scenario files that a path stands for.
std::vector<std::string> files_of(const std::string& path, Selected& selected) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    selected.bad.emplace_back(path, ErrorList{{.what = "there is no file or folder " + path,
                                               .hint = "give a scenario file, or a folder of them"}});
    return {};
  }
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.is_directory() && has_json(entry.path())) {
      selected.notes.push_back("note: " + entry.path().string() +
                               " was not searched: only files directly in a folder are run");
    } else if (entry.is_regular_file() && entry.path().extension() == ".json") {
      files.push_back(entry.path().lexically_normal().string());
    }
  }
  if (error)
    selected.bad.emplace_back(path,
                              ErrorList{{.what = "cannot read folder " + path + ": " + error.message()}});
  std::sort(files.begin(), files.end());
  return files;
}

template <class Wanted, class Has>
bool any_of_or_none_wanted(const Wanted& wanted, Has has) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), has);
}

}  // namespace

Selected select(const Selection& selection) {
  Selected selected;
  std::vector<std::string> files;
  for (const auto& path : selection.paths) {
    for (auto& file : files_of(path, selected)) {
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
    }
  }
  selected.files = files.size();
  for (const auto& file : files) {
    auto read = scenario::read_scenarios(file, read_file, {.seed = selection.seed});
    if (!read) {
      selected.bad.emplace_back(file, read.errors());
      continue;
    }
    for (auto& scenario : *read) {
      const auto tagged = [&](const std::string& tag) {
        return std::find(scenario.tags.begin(), scenario.tags.end(), tag) != scenario.tags.end();
      };
      const auto named = [&](const std::string& id) { return scenario.id() == id; };
      if (any_of_or_none_wanted(selection.tags, tagged) && any_of_or_none_wanted(selection.only, named)) {
        selected.scenarios.push_back(std::move(scenario));
      }
    }
  }
  return selected;
}

}  // namespace breakwire::cli
