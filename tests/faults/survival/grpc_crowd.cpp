#include "tests/faults/survival/grpc_crowd.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "base/rng.h"
#include "tests/faults/relay/grpc_peers.h"

namespace breakwire::relay::testing {
namespace {

class Callers {
 public:
  Callers(uint16_t port, uint64_t seed, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, port, seed = mix(seed, i)] { work(port, Rng(seed)); });
    }
  }
  ~Callers() { stop(); }
  std::map<int, size_t> stop() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    return outcomes_;
  }

 private:
  void work(uint16_t port, Rng rng) {
    while (!stop_) {
      EchoClient client(port);
      for (uint64_t call = rng.next() % 60; call > 0 && !stop_; --call) talk(client, rng);
    }
  }
  /// A few calls side by side, some of which are cancelled.
  void talk(EchoClient& client, Rng& rng) {
    std::vector<std::unique_ptr<Call>> calls;
    for (uint64_t i = 1 + rng.next() % 4; i > 0; --i) {
      const size_t size = rng.next() % 4 == 0 ? rng.next() % 300'000 : rng.next() % 500;
      const std::chrono::milliseconds deadline(20 + rng.next() % 300);
      calls.push_back(client.start("Say", std::string(size, 'x'), deadline));
    }
    if (rng.next() % 4 == 0) calls.back()->cancel();
    for (const auto& call : calls) {
      const auto code = call->code();
      const std::lock_guard lock(mutex_);
      ++outcomes_[code];
    }
  }

  std::mutex mutex_;
  std::map<int, size_t> outcomes_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

/// The child's work, until nobody asks any more.
void answer(std::istream& questions, std::FILE* answers) {
  std::optional<EchoServer> server;
  std::optional<Callers> callers;
  for (std::string line; std::getline(questions, line);) {
    std::istringstream words(line);
    std::string verb;
    uint16_t port = 0;
    words >> verb;
    if (verb == "serve") {
      std::fprintf(answers, "%d", server.emplace().port());
    } else if (verb == "start") {
      uint64_t seed = 0;
      size_t count = 0;
      words >> port >> seed >> count;
      callers.emplace(port, seed, count);
    } else if (verb == "stop") {
      for (const auto& [code, times] : callers->stop()) std::fprintf(answers, "%d %zu ", code, times);
      callers.reset();
    } else if (verb == "call") {
      words >> port;
      std::fprintf(answers, "%d", EchoClient(port).say());
    }
    std::fprintf(answers, "\n");
    std::fflush(answers);
  }
}

}  // namespace

GrpcCrowd::GrpcCrowd() {
  int questions[2];
  int answers[2];
  if (::pipe2(questions, O_CLOEXEC) != 0 || ::pipe2(answers, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe2");
  ::signal(SIGPIPE, SIG_IGN);  // a child that is gone is told by `ask`
  child_ = ::fork();
  if (child_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(questions[0], STDIN_FILENO);
    for (const int fd : {questions[0], questions[1], answers[0]}) ::close(fd);
    ::setenv("GRPC_VERBOSITY", "NONE", 1);  // it complains of every fault
    try {
      answer(std::cin, ::fdopen(answers[1], "w"));
    } catch (const std::exception& error) {
      std::fprintf(stderr, "the gRPC crowd: %s\n", error.what());
    }
    ::_exit(0);
  }
  ::close(questions[0]);
  ::close(answers[1]);
  to_ = ::fdopen(questions[1], "w");
  from_ = ::fdopen(answers[0], "r");
}

GrpcCrowd::~GrpcCrowd() {
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  std::fclose(to_);
  std::fclose(from_);
}

uint16_t GrpcCrowd::serve() { return static_cast<uint16_t>(std::stoi(ask("serve"))); }

void GrpcCrowd::start_callers(uint16_t port, uint64_t seed, size_t count) {
  ask("start " + std::to_string(port) + ' ' + std::to_string(seed) + ' ' + std::to_string(count));
}

std::map<int, size_t> GrpcCrowd::stop_callers() {
  std::map<int, size_t> outcomes;
  std::istringstream words(ask("stop"));
  size_t times = 0;
  for (int code = 0; words >> code >> times;) outcomes[code] = times;
  return outcomes;
}

int GrpcCrowd::call(uint16_t port) { return std::stoi(ask("call " + std::to_string(port))); }

std::string GrpcCrowd::ask(const std::string& what) {
  std::fprintf(to_, "%s\n", what.c_str());
  std::fflush(to_);
  std::string line;
  for (int c = std::fgetc(from_); c != '\n'; c = std::fgetc(from_)) {
    if (c == EOF) throw std::runtime_error("the process of the gRPC crowd is gone");
    line += static_cast<char>(c);
  }
  return line;
}

}  // namespace breakwire::relay::testing
