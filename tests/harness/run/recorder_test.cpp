// The one writer of a history: events from many threads, numbered, and who is woken by which.
#include "harness/run/recorder.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <set>
#include <thread>

#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

class RecorderTest : public testing::Test {
 protected:
  /// Waits in another thread, far longer than the test lasts; ready once it has returned.
  std::future<void> waiting() {
    return std::async(std::launch::async, [this] { recorder.wait_until(now() + 1h); });
  }
  static bool returned(const std::future<void>& waiter) {
    return waiter.wait_for(10s) == std::future_status::ready;
  }
  void listen() {
    recorder.locked([](const auto&, Timeline& t) {
      t.start(now());
      t.listen(now());
    });
  }

  scenario::Scenario scenario = [] {
    auto made = shop();
    made.timeline = {
        entry("kill", "kill", "orders", scenario::WhenExit{.service = {"inventory"}}),
        entry("slow", "latency", "storefront->orders",
              scenario::WhenCall{.on = {"storefront->orders"}, .nth = 1, .stage = {}, .method = {}})};
    return made;
  }();
  Timeline timeline{scenario};
  Recorder recorder{setup_of(scenario), timeline};
};

TEST_F(RecorderTest, NumbersEveryEventOnceWhateverThreadItComesFrom) {
  constexpr int threads = 4, each = 500;
  std::latch begin(threads);
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&, t] {
        begin.arrive_and_wait();
        for (int i = 0; i < each; ++i)
          recorder.record(now(), history::ProcessStarted{{"orders"}, t * each + i});
      });
    }
    // A reader beside them sees a sound history at any time.
    begin.wait();
    for (size_t seen = 0; seen < threads * each;) {
      seen = recorder.locked([](const history::History& h, Timeline&) {
        if (!h.events().empty()) {
          EXPECT_EQ(h.events().back().number.value, h.events().size());
        }
        return h.events().size();
      });
    }
  }
  const auto history = recorder.finish();
  ASSERT_EQ(history.events().size(), size_t(threads * each));
  std::set<int> pids;
  std::vector<int> last(threads, -1);
  for (size_t i = 0; i < history.events().size(); ++i) {
    EXPECT_EQ(history.events()[i].number.value, i + 1);
    const int pid = std::get<history::ProcessStarted>(history.events()[i].what).pid;
    pids.insert(pid);
    const size_t writer = size_t(pid / each);
    EXPECT_GT(pid, last[writer]) << "one thread's events keep their order";
    last[writer] = pid;
  }
  EXPECT_EQ(pids.size(), size_t(threads * each));
}

TEST_F(RecorderTest, WaitingEndsAtTheDeadline) {
  const Instant deadline = now() + 5ms;
  recorder.wait_until(deadline);
  EXPECT_GE(now(), deadline);
}

TEST_F(RecorderTest, ALoadsEndWakesWhoWaits) {
  auto waiter = waiting();
  recorder.record(now(), history::LoadEnded{{"shoppers"}});
  EXPECT_TRUE(returned(waiter));
}

TEST_F(RecorderTest, AProcessExitWakesWhoWaits) {
  auto waiter = waiting();
  recorder.record(now(), history::ProcessExited{{"orders"}, 1, 0, {}});
  EXPECT_TRUE(returned(waiter));
}

TEST_F(RecorderTest, WakeWakesWhoWaits) {
  auto waiter = waiting();
  recorder.wake();
  EXPECT_TRUE(returned(waiter));
}

TEST_F(RecorderTest, AnEventThatMakesAFaultDueWakesWhoWaits) {
  listen();
  auto waiter = waiting();
  faults::CallStarted call;
  call.edge = {"storefront->orders"};
  call.connection = {1};
  call.stream = 1;
  call.times = {.received = now(), .forwarded = {}};
  call.method = "shop.v1.OrdersService/Place";
  recorder.observe(call);
  EXPECT_TRUE(returned(waiter));
  const auto due = recorder.locked([](const auto&, Timeline& t) { return t.due(now()); });
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].entry, 1u);
}

TEST_F(RecorderTest, AWakeBeforeTheWaitIsNotLostAndCountsOnce) {
  recorder.wake();
  auto waiter = waiting();
  EXPECT_TRUE(returned(waiter));
  const Instant deadline = now() + 5ms;
  recorder.wait_until(deadline);
  EXPECT_GE(now(), deadline) << "the wake is used up";
}

TEST_F(RecorderTest, WhatMakesNothingDueWakesNobody) {
  const Instant deadline = now() + 20ms;
  auto waiter = std::async(std::launch::async, [&] {
    recorder.wait_until(deadline);
    return now();
  });
  recorder.record(now(), history::ServiceReady{{"orders"}});
  recorder.record(now(), history::HealthSeen{{"orders"}, "", history::HealthStatus::serving, now(), {}});
  EXPECT_GE(waiter.get(), deadline);
}

TEST_F(RecorderTest, AFrameHappenedWhenItWasReceived) {
  faults::CallStarted call;
  call.times.received = Instant(5s);
  call.times.forwarded = Instant(9s);
  EXPECT_EQ(time_of(call), Instant(5s));
  faults::ConnectionAccepted accepted;
  accepted.at = Instant(3s);
  EXPECT_EQ(time_of(accepted), Instant(3s));
  recorder.observe(call);
  const auto history = recorder.finish();
  EXPECT_EQ(history.events()[0].at, Instant(5s));
}

TEST_F(RecorderTest, AfterTheFinishNothingIsRecordedAndNobodyIsHarmed) {
  recorder.record(now(), history::ServiceReady{{"orders"}});
  const auto history = recorder.finish();
  recorder.record(now(), history::ServiceReady{{"inventory"}});
  EXPECT_EQ(history.events().size(), 1u);
}

}  // namespace
}  // namespace breakwire::run
