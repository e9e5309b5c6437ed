#include "harness/watch/resources.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include "harness/process/process_tree.h"

namespace breakwire::watch {
namespace {

using Clock = std::chrono::steady_clock;

// Who belongs to a family is looked up by reading all of /proc, some milliseconds on a busy machine: not for
// every sample.
constexpr Duration family_known_for = 500ms;

/// The number behind `name` in /proc/PID/status.
std::optional<uint64_t> number_of(const char* status, const char* name) {
  const char* found = std::strstr(status, name);
  return found ? std::optional(std::strtoull(found + std::strlen(name), nullptr, 10)) : std::nullopt;
}

struct Held {
  uint64_t threads = 0, descriptors = 0, resident_bytes = 0;
};

std::optional<Held> held_by(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const int fd = ::open((folder + "/status").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char status[4096];
  const ssize_t size = ::read(fd, status, sizeof status - 1);
  ::close(fd);
  if (size <= 0) return std::nullopt;
  status[size] = '\0';
  const auto threads = number_of(status, "\nThreads:");
  const auto resident = number_of(status, "\nVmRSS:");  // in kB; a zombie has none
  if (!threads || !resident) return std::nullopt;
  DIR* descriptors = ::opendir((folder + "/fd").c_str());
  if (descriptors == nullptr) return std::nullopt;
  uint64_t count = 0;
  while (const dirent* entry = ::readdir(descriptors)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(descriptors);
  return Held{.threads = *threads, .descriptors = count, .resident_bytes = *resident * 1024};
}

std::vector<pid_t> family_of(pid_t pid) {
  std::vector<pid_t> family{pid};
  for (const auto& member : process::descendants_of(pid)) family.push_back(member.pid);
  return family;
}

/// The first of `family` must be there; the others may have ended meanwhile.
std::optional<history::ResourcesSeen> sum_of(const std::vector<pid_t>& family) {
  history::ResourcesSeen seen{.pid = family.front()};
  for (const pid_t pid : family) {
    const auto held = held_by(pid);
    if (!held && pid == seen.pid) return std::nullopt;
    if (!held) continue;
    seen.threads += held->threads;
    seen.descriptors += held->descriptors;
    seen.resident_bytes += held->resident_bytes;
  }
  return seen;
}

class Sampler final : public Watcher {
 public:
  Sampler(std::vector<ResourceSubject> subjects, history::Sink& sink, Duration period)
      : sink_(sink), period_(period) {
    for (auto& subject : subjects) watched_.push_back({.subject = std::move(subject), .family = {}});
    thread_ = std::thread([this] { sample(); });
  }

  ~Sampler() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    thread_.join();
  }

 private:
  struct Watched {
    ResourceSubject subject;
    std::vector<pid_t> family;
    Instant known_until{};
  };

  void sample() {
    Instant due = Clock::now();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      for (auto& watched : watched_) look_at(watched);
      // Beats that passed meanwhile are left out, not made up for.
      for (const Instant now = Clock::now(); due <= now;) due += period_;
      lock.lock();
      stop_.wait_until(lock, due, [this] { return stopping_; });
    }
  }

  void look_at(Watched& watched) {
    const auto pid = watched.subject.pid();
    if (!pid) return;
    const Instant now = Clock::now();
    if (watched.family.empty() || watched.family.front() != *pid || now >= watched.known_until) {
      watched.family = family_of(*pid);
      watched.known_until = now + family_known_for;
    }
    auto seen = sum_of(watched.family);
    if (!seen) return;
    seen->service = watched.subject.service;
    sink_.record(now, std::move(*seen));
  }

  history::Sink& sink_;
  const Duration period_;
  std::vector<Watched> watched_;  // the thread's own
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::optional<history::ResourcesSeen> resources_of(pid_t pid) { return sum_of(family_of(pid)); }

std::unique_ptr<Watcher> watch_resources(std::vector<ResourceSubject> subjects, history::Sink& sink,
                                         Duration period) {
  return std::make_unique<Sampler>(std::move(subjects), sink, period);
}

}  // namespace breakwire::watch
