#include "tests/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "harness/process/process_tree.h"

namespace breakwire::cli {
namespace {

namespace fs = std::filesystem;

Instant now() { return std::chrono::steady_clock::now(); }

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!changes.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : changes) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "`" << part << "` is not said in:\n" << text;
}

bool eventually(const std::function<bool()>& holds, Duration patience) {
  const Instant deadline = now() + patience;
  while (!holds()) {
    if (now() >= deadline) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

Program::Program(const fs::path& folder, const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment)
    : out_(folder / "stdout"), err_(folder / "stderr") {
  std::vector<std::string> argv{BREAKWIRE_BIN_DIR "/breakwire"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto variables = environment_with(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int fresh = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), fresh, 0644);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_.c_str(), fresh, 0644);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  const int error = ::posix_spawn(&pid_, argv.front().c_str(), &actions, nullptr, pointers(argv).data(),
                                  pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot start " + argv.front());
}

Program::~Program() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::signal(int number) const { ::kill(pid_, number); }

Ended Program::wait(Duration patience) {
  int status = 0;
  const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience);
  if (!ended) {
    ADD_FAILURE() << "breakwire hangs; so far it said:\n" << out() << err();
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = -1;
  return {.code = !ended              ? -1
                  : WIFEXITED(status) ? WEXITSTATUS(status)
                                      : 128 + WTERMSIG(status),
          .out = out(),
          .err = err()};
}

std::string Program::out() const { return text_of(out_); }
std::string Program::err() const { return text_of(err_); }

CliTest::CliTest() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::string made = "/tmp/cli-test-XXXXXX";  // short: a database's socket lies below it
  folder_ = ::mkdtemp(made.data());
  fs::permissions(folder_, fs::perms(0755));  // and a database's user must get there
  fs::create_directory(folder_ / "tmp");
  fs::permissions(folder_ / "tmp", fs::perms(01777));
  environment["TMPDIR"] = (folder_ / "tmp").string();
}

CliTest::~CliTest() {
  EXPECT_TRUE(processes().empty()) << "a process of the run is still alive";
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  EXPECT_EQ(temporary_files(), std::vector<std::string>{}) << "left in TMPDIR";
  fs::remove_all(folder_);
}

std::string CliTest::file(const std::string& name, const std::string& text) const {
  fs::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name, std::ios::binary) << text;
  return name;
}

std::unique_ptr<Program> CliTest::start(const std::vector<std::string>& arguments) const {
  return std::make_unique<Program>(folder_, arguments, environment);
}

Ended CliTest::breakwire(const std::vector<std::string>& arguments) const {
  return Program(folder_, arguments, environment).wait();
}

std::vector<std::string> CliTest::run_of(std::vector<std::string> files) {
  files.insert(files.begin(), "run");
  files.insert(files.end(), {"--report", "report"});
  return files;
}

bool CliTest::has_report() const { return fs::exists(folder_ / "report" / "report.json"); }

json::Value CliTest::report() const {
  const std::string path = (folder_ / "report" / "report.json").string();
  auto read = json::parse(text_of(path), path);
  if (!read) {
    ADD_FAILURE() << "there is no sound report: " << render(read.errors());
    return {};
  }
  Program schema(folder_, {"schema", "report"}, environment);
  const fs::path schema_file = folder_ / "report.schema.json";
  std::ofstream(schema_file) << schema.wait().out;
  const std::string verdict = (folder_ / "validation").string();
  const std::string command = "/usr/bin/python3 " BREAKWIRE_SOURCE_DIR "/tests/reports/validate.py " +
                              schema_file.string() + " " + path + " > " + verdict + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << text_of(verdict);
  return *read;
}

json::Value CliTest::scenario(const json::Value& report, const std::string& id) {
  if (const auto* all = report.find("scenarios")) {
    for (const auto& one : all->items) {
      if (one.find("id")->text == id) return one;
    }
  }
  // What a test looks for in it is not there either: end the test here.
  throw std::runtime_error("no scenario " + id + " in the report");
}

std::vector<pid_t> CliTest::processes() {
  std::vector<pid_t> pids;
  for (const auto& one : process::descendants_of(::getpid())) pids.push_back(one.pid);
  return pids;
}

std::vector<std::string> CliTest::temporary_files() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_ / "tmp"))
    names.push_back(entry.path().filename().string());
  return names;
}

}  // namespace breakwire::cli
