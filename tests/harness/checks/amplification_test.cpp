#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const edge = "orders->inventory";
const char* const before = "storefront->orders";
constexpr auto lost = StatusCode::unavailable;

std::string entry(const std::string& rest) {
  return R"({"check": "amplification", "on": "orders->inventory", )" + rest + "}";
}

/// From `from` on, each 20 ms a call of the load with so many attempts, 5 ms apart; all but the last fail.
HistoryBuilder& shop(HistoryBuilder& builder, Duration from, uint64_t first, uint64_t calls,
                     unsigned attempts) {
  for (uint64_t i = 0; i < calls; ++i) {
    const uint64_t number = first + i;
    const Duration t = from + static_cast<int64_t>(i) * 20ms;
    builder.at(t).issue(number).start(before, 1, static_cast<StreamId>(number * 2 + 1), {.trace = number});
    for (unsigned k = 0; k < attempts; ++k) {
      const auto stream = static_cast<StreamId>(number * 100 + 2 * k + 1);
      builder.at(t + k * 5ms).start(edge, 2, stream, {.trace = number, .previous = k});
      builder.at(t + k * 5ms + 1ms).end(edge, 2, stream, k + 1 < attempts ? lost : StatusCode::ok);
    }
    builder.end(before, 1, static_cast<StreamId>(number * 2 + 1)).done(number);
  }
  return builder;
}
HistoryBuilder begun() {
  HistoryBuilder builder;
  builder.phase(Phase::baseline);
  return builder;
}

TEST(AmplificationTest, CountsAttemptsPerCallOfTheLoad) {
  HistoryBuilder builder = begun();
  shop(shop(builder, 0s, 1, 90, 1), 1800ms, 91, 10, 3);
  const auto result = judged(entry(R"("load": "shoppers", "max": 1.2)"), builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 100u);
  EXPECT_EQ(result.expected, "at most 1.2 attempts on orders->inventory per call of shoppers");
  EXPECT_EQ(result.actual, "120 attempts for 100 calls: 1.2 per call; busiest second from 1.000 s with 1.4");
}

TEST(AmplificationTest, AttemptsForAnotherLoadsCallsAreNotHeldAgainstTheLoad) {
  HistoryBuilder builder = begun();
  shop(shop(builder, 0s, 1, 90, 1), 1800ms, 91, 10, 3);
  for (uint64_t number = 1001; number <= 1100; ++number) {
    const auto stream = static_cast<StreamId>(number * 100 + 1);
    builder.at(2s).issue(number, 800ms, "browsers").start(edge, 2, stream, {.trace = number});
    builder.end(edge, 2, stream).done(number);
  }
  const auto result = judged(entry(R"("load": "shoppers", "max": 1.2)"), builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "120 attempts for 100 calls: 1.2 per call; busiest second from 1.000 s with 1.4");
  EXPECT_EQ(judged(entry(R"("load": "browsers", "max": 1)"), builder).reason,
            "no attempt on orders->inventory failed, so nothing could have been amplified")
      << "the other's attempts failed";
  const auto of_all = judged(entry(R"("max": 1.2)"), builder).actual;
  EXPECT_TRUE(of_all.starts_with("220 attempts for 200 calls: 1.1 per call")) << of_all;
}

TEST(AmplificationTest, MoreThanThatIsShownByTheCallThatHadMost) {
  HistoryBuilder builder = begun();
  shop(shop(builder, 0s, 1, 9, 1), 1s, 10, 1, 4);
  const auto result = judged(entry(R"("max": 1.2)"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "13 attempts for 10 calls: 1.3 per call; busiest second from 0.000 s with 1");
  ASSERT_EQ(result.evidence.size(), 4u);
  for (const auto event : result.evidence) {
    const auto* seen = std::get_if<faults::CallStarted>(&builder.history().event(event).what);
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(seen->trace_id, HistoryBuilder::trace(10));
  }
}

TEST(AmplificationTest, OneStormySecondIsMoreThanThePeak) {
  HistoryBuilder builder = begun();
  shop(shop(shop(builder, 0s, 1, 50, 1), 1s, 51, 50, 4), 2s, 101, 50, 1);
  EXPECT_PASSED(judged(entry(R"("max": 2, "peak": 4)"), builder));
  const auto result = judged(entry(R"("max": 2, "peak": 3)"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "300 attempts for 150 calls: 2 per call; busiest second from 1.000 s with 4");
  EXPECT_FALSE(result.evidence.empty());
}

TEST(AmplificationTest, RetriesAfterTheLoadAreMeasuredByTheUsualNumberOfCalls) {
  HistoryBuilder builder = begun();
  shop(builder, 0s, 1, 199, 1);  // 50/s, to 3.98 s
  for (unsigned k = 0; k < 150; ++k)
    builder.at(4s + k * 5ms)
        .start(edge, 2, 90001 + 2 * k, {.trace = 98, .previous = 1 + k})
        .end(edge, 2, 90001 + 2 * k, lost);
  EXPECT_EQ(judged(entry(R"("max": 1.8, "peak": 2.9)"), builder).verdict, Verdict::failed)
      << "150 where 50 are usual";
  EXPECT_PASSED(judged(entry(R"("max": 1.8, "peak": 3)"), builder));
}

TEST(AmplificationTest, CountsPerCallOfAnotherEdge) {
  HistoryBuilder builder = begun();
  shop(builder, 0s, 1, 10, 2);
  const auto result = judged(entry(R"("of": "storefront->orders", "max": 1.9)"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "20 attempts for 10 calls: 2 per call; busiest second from 0.000 s with 2");
  EXPECT_PASSED(judged(entry(R"("of": "storefront->orders", "max": 2)"), builder));
}

TEST(AmplificationTest, AnAttemptCountsInTheWindowOfItsCall) {
  HistoryBuilder builder;
  builder.fault({.id = {"f"}, .on = edge}).phase(Phase::baseline);
  builder.at(900ms).issue(1).start(edge, 2, 1, {.trace = 1}).end(edge, 2, 1, lost);
  builder.at(1s).arm("f").hit("f", edge, 2, 1);
  for (unsigned k = 0; k < 20; ++k)  // of the call before
    builder.at(1010ms + k * 1ms)
        .start(edge, 2, 101 + 2 * k, {.trace = 1, .previous = k + 1})
        .end(edge, 2, 101 + 2 * k, lost);
  shop(builder, 1100ms, 2, 2, 2);
  const std::string windowed =
      R"({"check": "amplification", "on": "orders->inventory", "max": 2, "during": "f"})";
  const auto result = judged(windowed, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 2u);
  builder.at(1500ms).start(edge, 2, 999);  // nobody knows whose
  EXPECT_EQ(judged(windowed, builder).verdict, Verdict::failed);
}

TEST(AmplificationTest, WhereNothingFailedNothingCouldHaveBeenAmplified) {
  HistoryBuilder builder = begun();
  shop(builder, 0s, 1, 10, 1);
  const auto result = judged(entry(R"("max": 2)"), builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no attempt on orders->inventory failed, so nothing could have been amplified");
  EXPECT_EQ(judged(entry(R"("max": 0.5)"), builder).verdict, Verdict::failed) << "too many is too many";
}

TEST(AmplificationTest, NothingSentAndNothingAskedProveNothing) {
  HistoryBuilder builder = begun();
  builder.issue(1).done(1);
  EXPECT_EQ(judged(entry(R"("max": 2)"), builder).reason, "nothing was sent on orders->inventory");
  EXPECT_EQ(judged(entry(R"("of": "storefront->orders", "max": 2)"), builder).reason,
            "no call on storefront->orders began in the window");
}

TEST(AmplificationTest, AnAmbiguousMeasureIsInconclusive) {
  HistoryBuilder builder = begun();
  builder.start(before, 1, 1).start(before, 1, 3).at(10ms).end(before, 1, 1, lost).end(before, 1, 3, lost);
  builder.at(20ms).start(before, 1, 5, {.previous = 1}).start(edge, 2, 1, {.trace = 9}).end(edge, 2, 1, lost);
  const auto result = judged(entry(R"("of": "storefront->orders", "max": 2)"), builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.reason.find("is ambiguous"), std::string::npos) << result.reason;
}

TEST(AmplificationTest, RefusesBoundsWithoutMeaning) {
  EXPECT_NE(errors_of(entry(R"("of": "orders->inventory", "max": 2)")).find("the same edge"),
            std::string::npos);
  EXPECT_NE(errors_of(entry(R"("of": "a->b", "load": "l", "max": 2)")).find("not both"), std::string::npos);
  EXPECT_NE(errors_of(entry(R"("max": 0)")).find("more than 0"), std::string::npos);
  EXPECT_NE(errors_of(entry(R"("max": 3, "peak": 2)")).find("less than `max`"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::checks
