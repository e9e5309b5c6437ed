#include "cli/programs.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace breakwire::cli {

namespace fs = std::filesystem;

std::optional<Programs> find_programs(const std::string& bin) {
  const std::string here = fs::read_symlink("/proc/self/exe").parent_path().string();
  const std::string folder = bin.empty() ? here : fs::absolute(bin).lexically_normal().string();
  if (fs::is_directory(folder)) return Programs{.bin = folder, .guard = here + "/breakwire-guard"};
  std::fprintf(stderr,
               "error: --bin %s is not a folder\n  give the folder that holds the services' programs\n",
               bin.c_str());
  return std::nullopt;
}

bool may_be_report_folder(const std::string& report) {
  if (report.empty() || !fs::exists(report) || fs::is_directory(report)) return true;
  std::fprintf(stderr, "error: --report %s is not a folder\n  give the folder that the report is to be in\n",
               report.c_str());
  return false;
}

bool can_write_report(const std::string& report) {
  std::error_code error;
  fs::create_directories(report, error);
  if (!error && ::access(report.c_str(), W_OK | X_OK) != 0) error.assign(errno, std::generic_category());
  if (!error) return true;
  std::fprintf(
      stderr,
      "error: the report folder %s cannot be written: %s\n  give another with --report, or the right to "
      "write there\n",
      report.c_str(), error.message().c_str());
  return false;
}

}  // namespace breakwire::cli
