#include "harness/load/protoc.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

namespace breakwire::load {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {
    if (number < 0) throw std::system_error(errno, std::generic_category(), "cannot run protoc");
  }
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string contents(const Descriptor& file) {
  std::string text;
  char buffer[4096];
  off_t at = 0;
  ssize_t count;
  while ((count = pread(file.number(), buffer, sizeof buffer, at)) > 0) {
    text.append(buffer, static_cast<size_t>(count));
    at += count;
  }
  return text;
}

struct Ran {
  int error = 0;   // errno when it could not be started
  int status = 0;  // as waitpid says it
  std::string output, complaints;
};

Ran run(const std::vector<std::string>& arguments, int timeout_ms) {
  const Descriptor output(memfd_create("protoc-output", MFD_CLOEXEC));
  const Descriptor complaints(memfd_create("protoc-errors", MFD_CLOEXEC));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.number(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints.number(), STDERR_FILENO);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  Ran ran;
  pid_t pid = 0;
  ran.error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (ran.error != 0) return ran;
  {
    const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    pollfd ended{.fd = process.number(), .events = POLLIN, .revents = 0};
    if (poll(&ended, 1, timeout_ms) == 0) kill(pid, SIGKILL);
  }
  while (waitpid(pid, &ran.status, 0) < 0 && errno == EINTR) {
  }
  ran.output = contents(output);
  ran.complaints = contents(complaints);
  return ran;
}

/// Takes a number off the front; 0 when there is none.
size_t take_number(std::string_view& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

/// `dir/shop.proto:3:14: "Itemm" is not defined.`, and lines without a position.
Error error_of(const std::string& line, const json::Span& span) {
  for (size_t colon = line.find(':'); colon != std::string::npos; colon = line.find(':', colon + 1)) {
    std::string_view rest = std::string_view(line).substr(colon + 1);
    const size_t row = take_number(rest);
    if (row == 0 || !rest.starts_with(':')) continue;
    rest.remove_prefix(1);
    const size_t column = take_number(rest);
    if (column == 0 || !rest.starts_with(": ")) continue;
    Error error;
    error.what = rest.substr(2);
    error.where.file = line.substr(0, colon);
    error.where.line = row;
    error.where.column = column;
    if (span.source) error.also.push_back(json::place_of(span));
    return error;
  }
  return json::error_at(span, "protoc: " + line);
}

}  // namespace

Result<Catalogue> compile_protos(const std::vector<std::string>& files,
                                 const std::vector<std::string>& import_paths, const json::Span& span) {
  if (files.empty()) return json::error_at(span, "no .proto file is named");
  std::vector<std::string> arguments{"protoc", "--include_imports", "--descriptor_set_out=/dev/stdout"};
  for (const auto& path : import_paths) arguments.push_back("-I" + path);
  if (import_paths.empty()) {
    for (const auto& file : files)
      arguments.push_back("-I" + std::filesystem::path(file).parent_path().string());
  }
  arguments.insert(arguments.end(), files.begin(), files.end());

  const Ran ran = run(arguments, 10'000);
  if (ran.error != 0) {
    return json::error_at(
        span, "cannot run protoc, which reads .proto files: " + std::generic_category().message(ran.error),
        "install protobuf-compiler, or use a descriptor set or reflection");
  }
  if (ran.status != 0) {
    ErrorList errors;
    std::istringstream lines(ran.complaints);
    for (std::string line; std::getline(lines, line);) {
      // Warnings stand between the errors; they are not why it failed.
      if (!line.empty() && line.find(": warning: ") == std::string::npos)
        errors.push_back(error_of(line, span));
    }
    if (errors.empty())
      errors.push_back(json::error_at(span, "protoc failed without a word, or took too long"));
    return errors;
  }
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromString(ran.output))
    return json::error_at(span, "protoc wrote something that is no descriptor set");
  return catalogue_of(std::move(set), files.size() == 1 ? "`" + files[0] + "`" : "the .proto files");
}

}  // namespace breakwire::load
