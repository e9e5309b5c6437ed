// A kiosk, a method of it found by reflection, and a load on it.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "harness/load/load.h"
#include "tests/harness/load/kiosk_server.h"
#include "tests/harness/load/recording_sink.h"

namespace breakwire::load {

class LoadFixture : public testing::Test {
 protected:
  void SetUp() override {
    auto found = find_method("kiosk.v1.KioskService/Buy", {}, server.target(), 5s, {});
    ASSERT_TRUE(found) << render(found.errors());
    method = *found;
    load.id = {"shoppers"};
    load.method = "kiosk.v1.KioskService/Buy";
    load.request = json::object({{"order_id", "${uuid}"}, {"labels", json::object({{"call", "${call}"}})}});
    load.deadline = 5s;
  }

  std::unique_ptr<RunningLoad> begin() {
    return start({.load = load, .method = method, .target = server.target(), .seed = 42}, sink);
  }

  /// Runs the load to its own end.
  void run() {
    const size_t before = sink.all<history::LoadEnded>().size();
    const auto running = begin();
    ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(before + 1));
    // Says so right after the event: whoever sees it say so finds the event recorded.
    const auto latest = std::chrono::steady_clock::now() + 5s;
    while (!running->ended() && std::chrono::steady_clock::now() < latest) std::this_thread::yield();
    EXPECT_TRUE(running->ended());
  }

  std::vector<history::CallIssued> issued() const { return sink.all<history::CallIssued>(); }
  std::vector<history::CallDone> done() const { return sink.all<history::CallDone>(); }

  KioskServer server;
  RecordingSink sink;
  std::shared_ptr<const Method> method;
  scenario::Load load;
};

/// The promise of every load: LoadBegan first, LoadEnded last, each once, and for each call exactly one
/// CallIssued and later exactly one CallDone.
inline void expect_well_formed(const RecordingSink& sink) {
  const auto events = sink.events();
  ASSERT_GE(events.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<history::LoadBegan>(events.front().what));
  EXPECT_TRUE(std::holds_alternative<history::LoadEnded>(events.back().what));
  EXPECT_EQ(sink.all<history::LoadBegan>().size(), 1U);
  EXPECT_EQ(sink.all<history::LoadEnded>().size(), 1U);
  std::map<uint64_t, int> open;  // 1: issued, 2: done
  for (const auto& event : events) {
    if (const auto* issued = std::get_if<history::CallIssued>(&event.what)) {
      EXPECT_EQ(open[issued->number]++, 0) << issued->call_id;
    } else if (const auto* done = std::get_if<history::CallDone>(&event.what)) {
      EXPECT_EQ(open[done->number]++, 1) << done->call_id;
    }
  }
  for (const auto& [number, state] : open) EXPECT_EQ(state, 2) << "call " << number;
}

}  // namespace breakwire::load
