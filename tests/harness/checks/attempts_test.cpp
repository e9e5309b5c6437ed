#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const edge = "orders->inventory";
constexpr auto lost = StatusCode::unavailable;

/// Call `trace` with attempts that end like this, 10 ms each.
HistoryBuilder& call(HistoryBuilder& builder, uint64_t trace, const std::vector<StatusCode>& endings) {
  for (unsigned i = 0; i < endings.size(); ++i) {
    const auto stream = static_cast<StreamId>(trace * 100 + i * 2 + 1);
    builder.start(edge, 1, stream, {.trace = trace, .previous = i});
    builder.at(builder.now() - t0 + 10ms).end(edge, 1, stream, endings[i]);
  }
  return builder;
}
HistoryBuilder calls(const std::vector<std::vector<StatusCode>>& all) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s);
  for (size_t i = 0; i < all.size(); ++i) call(builder, i + 1, all[i]);
  return builder;
}
std::string entry(const std::string& rest) {
  return R"({"check": "attempts", "on": "orders->inventory", )" + rest + "}";
}

TEST(AttemptsTest, CountsPerCall) {
  const auto history = calls({{lost, lost, StatusCode::ok}, {StatusCode::ok}});
  EXPECT_PASSED(judged(entry(R"("per_call": {"min": 1, "max": 3})"), history));
  EXPECT_PASSED(judged(entry(R"("per_call": 3)"), calls({{lost, lost, StatusCode::ok}})));
  const auto result = judged(entry(R"("per_call": {"max": 2})"), history);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.expected, "every call has at most 2 attempts on orders->inventory");
  EXPECT_EQ(result.actual,
            "1 call with 1 attempt; 1 call with 3 attempts; first wrong: orders->inventory "
            "connection 1 stream 101 with 3 attempts");
  EXPECT_EQ(result.samples, 2u);
  EXPECT_EQ(numbers(result), (Evidence{2, 4, 6}));
  EXPECT_EQ(judged(entry(R"("per_call": {"min": 2})"), history).verdict, Verdict::failed);
}

TEST(AttemptsTest, AttemptsThatNeverReachedTheWireCount) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).start(edge, 1, 1, {.trace = 1, .previous = 3}).at(1s).end(edge, 1, 1);
  EXPECT_PASSED(judged(entry(R"("per_call": 4)"), builder));
}

TEST(AttemptsTest, ACallThatIsNotOverCountsOnlyAgainstTheMaximum) {
  HistoryBuilder builder = calls({{lost}});
  builder.start(edge, 1, 103, {.trace = 1, .previous = 1});
  EXPECT_EQ(judged(entry(R"("per_call": 3)"), builder).verdict, Verdict::inconclusive);
  EXPECT_EQ(judged(entry(R"("per_call": 1)"), builder).verdict, Verdict::failed);
}

TEST(AttemptsTest, AFurtherAttemptOnlyAfterTheseCodes) {
  EXPECT_PASSED(judged(entry(R"("only_after": ["UNAVAILABLE"])"), calls({{lost, StatusCode::ok}})));
  const auto result = judged(entry(R"("only_after": ["UNAVAILABLE"])"),
                             calls({{lost, StatusCode::failed_precondition, StatusCode::ok}}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "1 call with 3 attempts; 1 attempt should not have followed, first: "
            "orders->inventory connection 1 stream 105 attempt 3 after FAILED_PRECONDITION");
  EXPECT_EQ(numbers(result), (Evidence{5, 6}));
}

TEST(AttemptsTest, WhereNothingFailedNothingCouldBeRetried) {
  const auto result = judged(entry(R"("only_after": ["UNAVAILABLE"])"), calls({{StatusCode::ok}}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no attempt failed, so none could have been retried");
  EXPECT_PASSED(judged(entry(R"("only_after": [])"), calls({{StatusCode::failed_precondition}})));
}

TEST(AttemptsTest, CountsThatHoldDoNotHideThatNothingCouldBeRetried) {
  const std::string both = entry(R"("per_call": {"max": 3}, "only_after": ["UNAVAILABLE"])");
  const auto nothing_failed = judged(both, calls({{StatusCode::ok}, {StatusCode::ok}}));
  EXPECT_EQ(nothing_failed.verdict, Verdict::inconclusive);
  EXPECT_EQ(nothing_failed.reason, "no attempt failed, so none could have been retried");
  EXPECT_PASSED(judged(both, calls({{StatusCode::ok}, {lost, StatusCode::ok}})));
  const auto wrong_count =
      judged(entry(R"("per_call": 2, "only_after": ["UNAVAILABLE"])"), calls({{StatusCode::ok}}));
  EXPECT_EQ(wrong_count.verdict, Verdict::failed) << "the counts are wrong whatever could be retried";
}

TEST(AttemptsTest, ATransparentRetryIsTheLibrarysOwn) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(edge, 1, 1, {.trace = 1});
  builder.at(1010ms).end_as(edge, 1, 1, faults::Ending::reset_by_upstream, Http2Error::refused_stream);
  builder.at(1020ms).start(edge, 1, 3, {.trace = 1}).at(1030ms).end(edge, 1, 3);
  EXPECT_EQ(judged(entry(R"("only_after": ["ABORTED"])"), builder).verdict, Verdict::inconclusive)
      << "allowed, and no sign of what the policy does";
  EXPECT_PASSED(judged(entry(R"("only_after": ["ABORTED"])"), call(builder, 2, {lost})));
}

TEST(AttemptsTest, AnAnswerThatWasHeldWhenItsConnectionEndedIsLostToTheCaller) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).start(edge, 1, 1, {.trace = 1}).at(10ms);
  builder.end_as(edge, 1, 1, faults::Ending::trailers, {}, false);  // a fault holds it
  builder.at(20ms).close(edge, 1, faults::Peer::relay, true);
  builder.at(30ms).start(edge, 2, 1, {.trace = 1, .previous = 1}).at(40ms).end(edge, 2, 1);
  EXPECT_PASSED(judged(entry(R"("per_call": 2, "only_after": ["UNAVAILABLE"])"), builder));
  const auto result = judged(entry(R"("only_after": ["INTERNAL"])"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.samples, 1u);
}

TEST(AttemptsTest, AHedgedAttemptFollowsNothing) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(edge, 1, 1, {.trace = 1});
  builder.at(1010ms).start(edge, 1, 3, {.trace = 1, .previous = 1});
  const auto result = judged(entry(R"("only_after": ["UNAVAILABLE"])"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("while the one before was still running"), std::string::npos) << result.actual;
}

TEST(AttemptsTest, AnAmbiguousJoinIsInconclusive) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(edge, 1, 1).start(edge, 1, 3);
  builder.at(1010ms)
      .end(edge, 1, 1, lost)
      .end(edge, 1, 3, lost)
      .at(1020ms)
      .start(edge, 1, 5, {.previous = 1});
  const auto result = judged(entry(R"("per_call": {"max": 5})"), builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.reason.find("1 attempt cannot be told to belong to one call"), std::string::npos);
}

TEST(AttemptsTest, OtherMethodsAndNoCallsAtAllProveNothing) {
  const auto result =
      judged(entry(R"("per_call": 1, "method": "shop.v1.InventoryService/*")"), calls({{StatusCode::ok}}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.actual, "no call on orders->inventory");
}

}  // namespace
}  // namespace breakwire::checks
