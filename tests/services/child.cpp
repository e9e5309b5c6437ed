#include "tests/services/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace breakwire::services_test {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

bool eventually(const std::function<bool()>& is_so, Millis within) {
  auto deadline = Clock::now() + within;
  while (!is_so()) {
    if (Clock::now() >= deadline) return false;
    ::poll(nullptr, 0, 3);
  }
  return true;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "breakwire-services-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Child::Child(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string out = files_.path() / "out";
  std::string err = files_.path() / "err";
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(::open(out.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600), STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
}

Child::~Child() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Child::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

std::optional<Ended> Child::wait(Millis within) {
  eventually(
      [this] {
        int status = 0;
        if (ended_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return ended_.has_value();
        ended_ = WIFEXITED(status) ? Ended{.exit_code = WEXITSTATUS(status), .signal = {}}
                                   : Ended{.exit_code = {}, .signal = WTERMSIG(status)};
        return true;
      },
      within);
  return ended_;
}

std::string Child::out() const { return content(files_.path() / "out"); }
std::string Child::err() const { return content(files_.path() / "err"); }

}  // namespace breakwire::services_test
