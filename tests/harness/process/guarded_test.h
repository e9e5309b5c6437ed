// What the tests of harness/process share: a guard, deadlines, and waiting for a condition.
#pragma once

#include <gtest/gtest.h>

#include <poll.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "base/duration.h"
#include "harness/process/child_process.h"
#include "harness/process/guard.h"
#include "harness/process/temp_directory.h"

namespace breakwire::process {

inline Instant in(Duration time) { return std::chrono::steady_clock::now() + time; }

/// Looks every few milliseconds until the condition holds; false when the deadline comes first.
inline bool eventually(const std::function<bool()>& condition, Instant deadline = in(10s)) {
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// The System V segment of the server whose directory this is: the seventh line of its lock file.
inline int shared_memory_of(const std::string& database_directory) {
  std::ifstream lock_file(database_directory + "/data/postmaster.pid");
  std::string line;
  for (int number = 1; number <= 7; ++number) std::getline(lock_file, line);
  std::istringstream words(line);
  unsigned long key = 0;
  int id = -1;
  words >> key >> id;
  return id;
}

class GuardedTest : public testing::Test {
 protected:
  static GuardOptions options() { return {.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}; }
  std::string log(const std::string& name = "log") const { return directory.path() + "/" + name; }
  Command shell(const std::string& script) const { return {.argv = {"sh", "-c", script}, .log_path = log()}; }

  Guard guard{options()};
  TempDirectory directory{guard};
};

}  // namespace breakwire::process
