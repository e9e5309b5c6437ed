#include "harness/run/store.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "harness/history/ndjson.h"

namespace breakwire::run {
std::string file_name_of(const scenario::Scenario& scenario) {
  std::string name = scenario.id();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '_';
  }
  return name;
}

void store_history(const history::History& history, const std::string& path, const Secrets& secrets) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::trunc);
  file << secrets.hidden_in_json(history::to_ndjson_header(history.setup(), history.zero())) << '\n';
  for (const auto& event : history.events())
    file << secrets.hidden_in_json(history::to_ndjson_line(event, history.zero())) << '\n';
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), "cannot write " + path);
}

}  // namespace breakwire::run
