#include "harness/process/temp_directory.h"

#include <cstdlib>
#include <filesystem>

#include "harness/process/guard_client.h"
#include "harness/process/owned_directory.h"

namespace breakwire::process {

std::string temporary_place() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

namespace {

std::string without_last_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

TempDirectory::TempDirectory(Guard& guard, const std::string& parent)
    : guard_(guard),
      path_(guard.client().make_directory(
          without_last_slash(std::filesystem::absolute(parent).lexically_normal()))) {}

TempDirectory::~TempDirectory() {
  remove_owned_directory(path_);
  guard_.client().forget_directory(path_);
}

}  // namespace breakwire::process
