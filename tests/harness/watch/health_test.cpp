// What a poller sees of real health services.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>

#include "harness/watch/health.h"
#include "tests/harness/load/recording_sink.h"
#include "tests/harness/load/resetting_listener.h"
#include "tests/harness/watch/health_server.h"

namespace breakwire::watch {
namespace {

using history::HealthSeen;
using history::HealthStatus;
using Clock = std::chrono::steady_clock;

/// Waits for an answer to a question asked from now on about `name` that says `status`.
bool sees(const RecordingSink& sink, const std::string& name, HealthStatus status) {
  const Instant now = Clock::now();
  return sink.wait([&](const auto& events) {
    for (const auto& event : events) {
      const auto* seen = std::get_if<HealthSeen>(&event.what);
      if (seen != nullptr && seen->asked >= now && seen->name == name && seen->status == status) return true;
    }
    return false;
  });
}

HealthOptions options_for(const std::string& target) {
  return {.service = {"orders"}, .target = target, .names = {"readiness"}, .period = 10ms, .timeout = 250ms};
}

TEST(HealthPollerTest, FollowsAServiceThroughItsLife) {
  auto server = std::make_unique<HealthServer>();
  const int port = server->port();
  RecordingSink sink;
  const auto poller = poll_health(options_for(server->target()), sink);
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::service_unknown));
  server->set("readiness", true);
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::serving));
  server->set("readiness", false);
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::not_serving));
  server.reset();
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::unreachable));
  server = std::make_unique<HealthServer>(port);
  server->set("readiness", true);
  const Instant back = Clock::now();
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::serving));
  EXPECT_LT(Clock::now() - back, 500ms);  // gRPC's own back-off would have grown past a second
  for (const auto& seen : sink.all<HealthSeen>()) {
    EXPECT_EQ(seen.service.text, "orders");
    EXPECT_EQ(seen.error.empty(), seen.status != HealthStatus::unreachable) << seen.error;
  }
}

TEST(HealthPollerTest, SeesAServiceAgainWithinAFewPeriodsHoweverLongItWasGone) {
  auto server = std::make_unique<HealthServer>();
  const int port = server->port();
  server.reset();
  RecordingSink sink;
  const auto poller = poll_health(options_for("127.0.0.1:" + std::to_string(port)), sink);
  ASSERT_TRUE(sink.wait_for_count<HealthSeen>(40));
  server = std::make_unique<HealthServer>(port);
  const Instant back = Clock::now();
  server->set("readiness", true);
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::serving));
  EXPECT_LT(Clock::now() - back, 90ms);  // less than the least back-off gRPC has
}

TEST(HealthPollerTest, AsksEveryNameOnEveryBeatOverOneConnection) {
  MuteServer server("\x08\x01");
  RecordingSink sink;
  auto options = options_for(server.target());
  options.names = {"liveness", "readiness", ""};
  const auto poller = poll_health(options, sink);
  ASSERT_TRUE(sink.wait_for_count<HealthSeen>(30));
  std::map<std::string, std::vector<Instant>> asked;
  for (const auto& seen : sink.all<HealthSeen>()) {
    EXPECT_EQ(seen.status, HealthStatus::serving) << seen.error;
    asked[seen.name].push_back(seen.asked);
  }
  EXPECT_EQ(asked.size(), 3U);
  for (const auto& [name, times] : asked) {
    EXPECT_GE(times.size(), 8U) << name;
    // Never faster than the beat: n questions take at least n-1 periods, less the first one's own lateness.
    EXPECT_GE(times.back() - times.front(), 10ms * static_cast<int>(times.size() - 2)) << name;
  }
  EXPECT_EQ(server.peers().size(), 1U);
}

TEST(HealthPollerTest, NeverAnsweredIsUnreachableInTimeAndQuestionsDoNotPileUp) {
  MuteServer server;
  RecordingSink sink;
  auto options = options_for(server.target());
  options.timeout = 60ms;
  auto poller = poll_health(options, sink);
  ASSERT_TRUE(sink.wait_for_count<HealthSeen>(4));
  const auto events = sink.events();
  Instant last{};
  for (const auto& event : events) {
    const auto& seen = std::get<HealthSeen>(event.what);
    EXPECT_EQ(seen.status, HealthStatus::unreachable);
    EXPECT_EQ(seen.error, "DEADLINE_EXCEEDED: Deadline Exceeded");
    EXPECT_GE(event.at - seen.asked, 59ms);
    EXPECT_LT(event.at - seen.asked, 500ms);
    EXPECT_GE(seen.asked, last) << "asked again while the last question was open";
    last = event.at;
  }
  poller.reset();
  EXPECT_LE(server.calls(), sink.all<HealthSeen>().size() + 1);
}

TEST(HealthPollerTest, ADestroyedPollerRecordsNothingMore) {
  MuteServer server;
  RecordingSink sink;
  auto options = options_for(server.target());
  options.timeout = 60s;
  const Instant before = Clock::now();
  poll_health(options, sink).reset();
  EXPECT_LT(Clock::now() - before, 10s);
  EXPECT_TRUE(sink.events().empty());
}

TEST(HealthPollerTest, AnAnswerThatIsNoHealthMessageIsUnreachableAndSaysSo) {
  MuteServer server("<html>");
  RecordingSink sink;
  const auto poller = poll_health(options_for(server.target()), sink);
  ASSERT_TRUE(sink.wait_for_count<HealthSeen>(1));
  const auto seen = sink.all<HealthSeen>()[0];
  EXPECT_EQ(seen.status, HealthStatus::unreachable);
  EXPECT_EQ(seen.error, "the answer is no HealthCheckResponse");
}

TEST(HealthPollerTest, StatusZeroIsUnknown) {
  MuteServer server(std::string("\x08\x00", 2));
  RecordingSink sink;
  const auto poller = poll_health(options_for(server.target()), sink);
  EXPECT_TRUE(sees(sink, "readiness", HealthStatus::unknown));
}

TEST(WaitUntilServingTest, ReturnsWhenItIs) {
  HealthServer server;
  server.set("readiness", false);
  std::atomic<int> asked = 0;
  std::string last;
  EXPECT_TRUE(wait_until_serving(
      server.target(), "readiness", Clock::now() + 10s,
      [&] {
        if (++asked == 3) server.set("readiness", true);
        return false;
      },
      &last));
  EXPECT_EQ(last, "SERVING");
}

TEST(WaitUntilServingTest, FindsAServiceThatIsThereOnlyLater) {
  ResettingListener early;
  const Instant began = Clock::now();
  auto serving = std::async(std::launch::async, [&] {
    return wait_until_serving("127.0.0.1:" + std::to_string(early.port()), "", began + 20s,
                              [] { return false; });
  });
  ASSERT_TRUE(early.reset_connections(8));
  const HealthServer server(early.port());
  EXPECT_TRUE(serving.get());
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST(WaitUntilServingTest, SaysWhatItLastHeardWhenTimeIsUp) {
  HealthServer server;
  server.set("readiness", false);
  std::string last;
  const auto never = [] { return false; };
  EXPECT_FALSE(wait_until_serving(server.target(), "readiness", Clock::now() + 60ms, never, &last));
  EXPECT_EQ(last, "NOT_SERVING");
  EXPECT_FALSE(wait_until_serving(server.target(), "nobody", Clock::now() + 60ms, never, &last));
  EXPECT_EQ(last, "SERVICE_UNKNOWN");
}

TEST(WaitUntilServingTest, SaysThatNobodyListens) {
  int port = 0;
  { port = HealthServer().port(); }
  std::string last;
  EXPECT_FALSE(wait_until_serving(
      "127.0.0.1:" + std::to_string(port), "", Clock::now() + 60ms, [] { return false; }, &last));
  EXPECT_TRUE(last.starts_with("UNAVAILABLE: ")) << last;
  EXPECT_NE(last.find("Connection refused"), std::string::npos) << last;
}

TEST(WaitUntilServingTest, CanBeCancelledWhileAQuestionIsOpen) {
  MuteServer server;
  const Instant before = Clock::now();
  EXPECT_FALSE(wait_until_serving(server.target(), "", before + 60s, [&] { return server.calls() > 0; }));
  EXPECT_LT(Clock::now() - before, 10s);
}

}  // namespace
}  // namespace breakwire::watch
