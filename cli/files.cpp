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

/// "scenario.schema.json", which editors like to find beside scenarios.
bool is_schema(const fs::path& path) { return path.stem().extension() == ".schema"; }

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
  if (!fs::is_directory(path, error)) return {fs::path(path).lexically_normal().string()};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.is_directory() && has_json(entry.path())) {
      selected.notes.push_back("note: " + entry.path().string() +
                               " was not searched: only files directly in a folder are run");
    } else if (entry.is_regular_file() && entry.path().extension() == ".json" && !is_schema(entry.path())) {
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

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// Scenarios of two files with one name would share their logs, their history and their `--only`.
std::optional<Error> same_name(const std::string& file, const std::vector<scenario::Scenario>& fresh,
                               const std::vector<scenario::Scenario>& known) {
  for (const auto& scenario : known) {
    if (scenario.name != fresh.front().name) continue;
    return Error{.what = "scenario `" + scenario.name + "` of " + file + " has the same name as one of " +
                         scenario.file,
                 .hint = "give it another `name`: logs, histories and --only go by it"};
  }
  return std::nullopt;
}

}  // namespace

Selected select(const Selection& selection) {
  Selected selected;
  std::vector<std::string> files;
  for (const auto& path : selection.paths) {
    for (auto& file : files_of(path, selected)) {
      if (!contains(files, file)) files.push_back(std::move(file));
    }
  }
  selected.files = files.size();
  std::vector<scenario::Scenario> all;
  for (const auto& file : files) {
    auto read = scenario::read_scenarios(file, read_file, {.seed = selection.seed});
    if (!read) {
      selected.bad.emplace_back(file, read.errors());
    } else if (auto error = same_name(file, *read, all)) {
      selected.bad.emplace_back(file, ErrorList{*error});
    } else {
      std::move(read->begin(), read->end(), std::back_inserter(all));
    }
  }
  std::vector<std::string> tags, ids;
  for (const auto& scenario : all) {
    ids.push_back(scenario.id());
    for (const auto& tag : scenario.tags) {
      if (!contains(tags, tag)) tags.push_back(tag);
    }
  }
  // What a file that cannot be read would have held is not known.
  if (selected.bad.empty() && !all.empty()) {
    for (const auto& tag : selection.tags) {
      if (!contains(tags, tag))
        selected.wrong.push_back(
            {.what = "no scenario has the tag `" + tag + "`", .hint = did_you_mean(tag, tags)});
    }
    for (const auto& id : selection.only) {
      if (!contains(ids, id))
        selected.wrong.push_back(
            {.what = "there is no scenario `" + id + "`", .hint = did_you_mean(id, ids)});
    }
  }
  for (auto& scenario : all) {
    const auto tagged = [&](const std::string& tag) { return contains(scenario.tags, tag); };
    const auto named = [&](const std::string& id) { return scenario.id() == id; };
    if (any_of_or_none_wanted(selection.tags, tagged) && any_of_or_none_wanted(selection.only, named))
      selected.scenarios.push_back(std::move(scenario));
  }
  return selected;
}

}  // namespace breakwire::cli
