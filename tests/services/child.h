// Waiting, and programs under test as child processes. Everything here ends with the object that holds it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace breakwire::services_test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

/// Asks again and again until it is so, or `within` has passed. Returns whether it came to be so.
bool eventually(const std::function<bool()>& is_so, Millis within = 5s);

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How a process ended: by exit or by a signal.
struct Ended {
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool operator==(const Ended&) const = default;
};

/// A program under test with its output in files. Killed and reaped on destruction.
class Child {
 public:
  explicit Child(std::vector<std::string> command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Nothing when it is still running after `within`.
  std::optional<Ended> wait(Millis within = 5s);
  std::string out() const;
  std::string err() const;

 private:
  TemporaryDirectory files_;
  pid_t pid_ = -1;
  std::optional<Ended> ended_;
};

}  // namespace breakwire::services_test
