// What is seen of real processes: this one, and children that do what they are told.
#include "harness/watch/resources.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

namespace breakwire::watch {
namespace {

using history::ResourcesSeen;

/// A child of this program that waits to be killed. It forks a child of its own when told to.
class Idle {
 public:
  explicit Idle(bool with_child = false) {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      if (with_child) ::fork();
      [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char byte;
    for (int i = 0; i < (with_child ? 2 : 1); ++i)
      [[maybe_unused]] const auto size = ::read(ready[0], &byte, 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Idle() { end(); }
  void end() {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

class Kept final : public history::Sink {
 public:
  void record(Instant, history::Payload what) override {
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::get<ResourcesSeen>(what));
  }
  bool eventually(const std::function<bool(const ResourcesSeen&)>& holds) {
    for (const auto deadline = std::chrono::steady_clock::now() + 10s;
         std::chrono::steady_clock::now() < deadline; std::this_thread::yield()) {
      const std::lock_guard lock(mutex_);
      for (const auto& one : seen_) {
        if (holds(one)) return true;
      }
    }
    return false;
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<ResourcesSeen> seen_;
};

TEST(ResourcesTest, CountsThreadsDescriptorsAndMemory) {
  const auto before = resources_of(::getpid());
  ASSERT_TRUE(before);
  std::latch leave(1);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 7; ++i) threads.emplace_back([&] { leave.wait(); });
    std::vector<int> descriptors;
    for (int i = 0; i < 11; ++i) descriptors.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::vector<char> memory(64 << 20, 'x');
    const auto during = resources_of(::getpid());
    for (const int fd : descriptors) ::close(fd);
    leave.count_down();
    ASSERT_TRUE(during);
    EXPECT_EQ(during->threads, before->threads + 7);
    EXPECT_EQ(during->descriptors, before->descriptors + 11);
    EXPECT_GE(during->resident_bytes, before->resident_bytes + (60u << 20));
    EXPECT_EQ(during->pid, ::getpid());
  }
}

TEST(ResourcesTest, AFamilyIsCountedAsOne) {
  const Idle alone, parent(true);
  const auto one = resources_of(alone.pid()), two = resources_of(parent.pid());
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->threads, 1u);
  EXPECT_EQ(two->threads, 2u);
  EXPECT_EQ(two->pid, parent.pid());
}

TEST(ResourcesTest, OfAProcessThatIsGoneNothingIsSeen) {
  Idle one;
  const pid_t pid = one.pid();
  ::kill(pid, SIGKILL);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  EXPECT_FALSE(resources_of(pid)) << "a zombie holds nothing";
  one.end();
  EXPECT_FALSE(resources_of(pid));
}

TEST(ResourcesTest, AServiceIsFollowedFromProcessToProcess) {
  Idle first;
  Idle second(true);
  std::atomic<pid_t> current = first.pid();
  Kept kept;
  {
    const auto watcher = watch_resources({{.service = {"orders"},
                                           .pid = [&]() -> std::optional<pid_t> {
                                             const pid_t pid = current;
                                             return pid == 0 ? std::nullopt : std::optional(pid);
                                           }}},
                                         kept, 1ms);
    const auto of = [](pid_t pid, uint64_t threads) {
      return [=](const ResourcesSeen& seen) {
        return seen.service.text == "orders" && seen.pid == pid && seen.threads == threads;
      };
    };
    EXPECT_TRUE(kept.eventually(of(first.pid(), 1)));
    first.end();
    current = 0;
    current = second.pid();
    EXPECT_TRUE(kept.eventually(of(second.pid(), 2)));
  }
  const size_t count = kept.count();
  EXPECT_GE(count, 2u);
  EXPECT_EQ(kept.count(), count) << "its destructor waits";
}

}  // namespace
}  // namespace breakwire::watch
