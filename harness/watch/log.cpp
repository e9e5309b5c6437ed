#include "harness/watch/log.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "harness/watch/file_tail.h"

namespace breakwire::watch {
namespace {

using Clock = std::chrono::steady_clock;

class LogFollower final : public Watcher {
 public:
  LogFollower(LogOptions options, history::Sink& sink)
      : options_(std::move(options)), sink_(sink), tail_(options_.path, options_.longest_line) {
    thread_ = std::thread([this] { follow(); });
  }

  ~LogFollower() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void catch_up(Instant since, Instant deadline) override {
    std::unique_lock lock(mutex_);
    // The looks go on in their own rhythm; each of them tells.
    changed_.wait_until(lock, deadline, [&] { return looked_ >= std::max(since, grew_) + options_.quiet; });
  }

  std::string note() const override {
    const std::lock_guard lock(mutex_);
    if (records_ > 0) return {};
    std::string text = "log of " + options_.service.text + ": none of its " + std::to_string(lines_) +
                       " lines told of a call";
    if (not_json_ > 0) text += "; " + std::to_string(not_json_) + " were no JSON objects";
    if (tail_overlong_ > 0) text += "; " + std::to_string(tail_overlong_) + " were too long";
    return text + " (" + options_.path + ")";
  }

 private:
  void follow() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      uint64_t lines = 0, records = 0, not_json = 0;
      const bool grew = tail_.read([&](std::string_view line) {
        ++lines;
        LogLine read = read_log_line(line, options_.fields);
        if (!read.json) ++not_json;
        if (!read.record) return;
        ++records;
        read.record->service = options_.service;
        sink_.record(Clock::now(), std::move(*read.record));
      });
      lock.lock();
      lines_ += lines;
      records_ += records;
      not_json_ += not_json;
      tail_overlong_ = tail_.overlong();
      looked_ = Clock::now();
      if (grew) grew_ = looked_;
      changed_.notify_all();
      changed_.wait_for(lock, options_.period, [this] { return stopping_; });
    }
  }

  const LogOptions options_;
  history::Sink& sink_;
  FileTail tail_;  // the thread's own
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  Instant looked_{}, grew_{};
  uint64_t lines_ = 0, records_ = 0, not_json_ = 0, tail_overlong_ = 0;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Watcher> follow_log(LogOptions options, history::Sink& sink) {
  return std::make_unique<LogFollower>(std::move(options), sink);
}

}  // namespace breakwire::watch
