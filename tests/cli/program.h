// The program as a person runs it: its arguments, its output, its exit code, what it leaves behind.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/json.h"

namespace breakwire::cli {

struct Ended {
  int code = -1;  // 128 + n when signal n ended it; -1: it hung and had to be killed
  std::string out, err;
};

/// breakwire, running. Its output goes to files below `folder`, which is also where it runs. The destructor
/// kills it.
class Program {
 public:
  Program(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits for its end; one that hangs is killed and fails the test.
  Ended wait(Duration patience = std::chrono::seconds(30));
  std::string out() const;
  std::string err() const;

 private:
  std::filesystem::path out_, err_;
  pid_t pid_ = -1;
};

/// The text holds the part; what it holds instead is shown.
void expect_says(const std::string& text, const std::string& part);

/// Looks every few milliseconds; false when the deadline comes first.
bool eventually(const std::function<bool()>& holds, Duration patience = std::chrono::seconds(20));

/// A folder of the test's own with its own TMPDIR, so that nothing left behind goes unseen. The test is the
/// subreaper of whatever it starts, so no process gets out of sight either.
class CliTest : public testing::Test {
 protected:
  CliTest();
  /// Whatever happened: no process of the run is alive, no temporary directory is left.
  ~CliTest() override;

  std::filesystem::path folder() const { return folder_; }
  /// Writes a file below the folder and answers its path from there.
  std::string file(const std::string& name, const std::string& text) const;
  Ended breakwire(const std::vector<std::string>& arguments) const;
  std::unique_ptr<Program> start(const std::vector<std::string>& arguments) const;
  /// `breakwire run FILE… --report report` with the shop's programs.
  static std::vector<std::string> run_of(std::vector<std::string> files);

  /// report/report.json; the test fails when it is missing or keeps not to the published schema.
  json::Value report() const;
  bool has_report() const;
  /// The scenario of that id in a report.
  static json::Value scenario(const json::Value& report, const std::string& id);

  /// Living processes that descend from this test, zombies left out.
  static std::vector<pid_t> processes();
  /// Names of what lies in the run's TMPDIR.
  std::vector<std::string> temporary_files() const;

  std::map<std::string, std::string> environment;

 private:
  std::filesystem::path folder_;
};

}  // namespace breakwire::cli
