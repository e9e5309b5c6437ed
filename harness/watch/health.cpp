#include "harness/watch/health.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <thread>

#include "harness/load/values.h"
#include "harness/watch/health_check.h"

namespace breakwire::watch {
namespace {

using Clock = std::chrono::steady_clock;

class Poller final : public Watcher {
 public:
  Poller(HealthOptions options, history::Sink& sink)
      : options_(std::move(options)), sink_(sink), channel_(open_health_channel(options_.target)) {
    const Instant now = Clock::now();
    for (const auto& name : options_.names) asked_.push_back({.name = name, .due = now, .check = nullptr});
    thread_ = std::thread([this] { poll(); });
  }

  ~Poller() override {
    grpc::Alarm wake;
    wake.Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), nullptr);
    thread_.join();
  }

 private:
  struct Asked {
    std::string name;
    Instant due;
    std::unique_ptr<HealthCheck> check;  // under way
  };

  void poll() {
    for (;;) {
      Instant wake = Clock::now() + 1s;
      for (auto& asked : asked_) {
        if (asked.check) continue;
        const Instant now = Clock::now();
        if (asked.due <= now) {
          ask(asked, now);
        } else {
          wake = std::min(wake, asked.due);
        }
      }
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, load::grpc_time(wake)) != grpc::CompletionQueue::GOT_EVENT) continue;
      if (tag == nullptr) break;  // the destructor
      heard(*static_cast<Asked*>(tag), Clock::now());
    }
    for (auto& asked : asked_) {
      if (asked.check) asked.check->cancel();
    }
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void ask(Asked& asked, Instant now) {
    // Beats that passed while a Check was under way are left out, not made up for.
    while (asked.due <= now) asked.due += options_.period;
    asked.check = std::make_unique<HealthCheck>(channel_, asked.name, now, options_.timeout, queue_, &asked);
  }

  void heard(Asked& asked, Instant now) {
    HealthAnswer answer = asked.check->answer();
    const Instant began = asked.check->asked();
    asked.check.reset();
    sink_.record(now, history::HealthSeen{.service = options_.service,
                                          .name = asked.name,
                                          .status = answer.status,
                                          .asked = began,
                                          .error = std::move(answer.error)});
  }

  const HealthOptions options_;
  history::Sink& sink_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::CompletionQueue queue_;
  std::vector<Asked> asked_;  // the thread's own, and never resized: its elements are tags
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Watcher> poll_health(HealthOptions options, history::Sink& sink) {
  return std::make_unique<Poller>(std::move(options), sink);
}

bool wait_until_serving(const std::string& target, const std::string& name, Instant deadline,
                        const std::function<bool()>& cancelled, std::string* last) {
  constexpr Duration pause = 20ms, longest = 250ms;
  const auto channel = open_health_channel(target);
  grpc::CompletionQueue queue;
  bool serving = false;
  for (Instant now = Clock::now(); !serving && now < deadline && !cancelled(); now = Clock::now()) {
    void* tag;
    bool ok;
    HealthCheck check(channel, name, now, std::min<Duration>(longest, deadline - now), queue, nullptr);
    while (queue.AsyncNext(&tag, &ok, load::grpc_time(Clock::now() + pause)) !=
           grpc::CompletionQueue::GOT_EVENT) {
      if (cancelled()) check.cancel();
    }
    const HealthAnswer answer = check.answer();
    serving = answer.status == history::HealthStatus::serving;
    if (last != nullptr)
      *last = answer.error.empty() ? std::string(history::to_text(answer.status)) : answer.error;
    // Nobody else polls this channel's sockets: waiting on the queue is what lets a connection attempt go on.
    // (While a channel keeps failing, a call ends at once and would never poll.)
    if (!serving) queue.AsyncNext(&tag, &ok, load::grpc_time(std::min(now + pause, deadline)));
  }
  queue.Shutdown();
  void* tag;
  bool ok;
  while (queue.Next(&tag, &ok)) {
  }
  return serving;
}

}  // namespace breakwire::watch
