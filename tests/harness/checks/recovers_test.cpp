#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

constexpr auto ok = StatusCode::ok;
constexpr auto lost = StatusCode::unavailable;

/// The fault ends at 1 s; a call every 100 ms from then on, the first at 1.1 s.
HistoryBuilder afterwards(const std::vector<StatusCode>& outcomes) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(500ms).arm("f").hit("f").at(1s).clear("f");
  for (size_t i = 0; i < outcomes.size(); ++i)
    builder.at(1s + 100ms * static_cast<int>(i + 1)).issue(i + 1).done(i + 1, outcomes[i]);
  return builder.at(9s).phase(Phase::teardown);
}
std::string entry(const std::string& rest) {
  return R"({"check": "recovers", "load": "shoppers", "after": "f", )" + rest + "}";
}

TEST(RecoversTest, FromSomeMomentOnAllIsWell) {
  const auto result =
      judged(entry(R"("within": "300ms", "min_samples": 2)"), afterwards({lost, lost, ok, ok}));
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "well 300 ms after the window began; 2 calls from then on");
  EXPECT_EQ(result.samples, 2u);
}

TEST(RecoversTest, TooLateIsAFailureAndShowsTheBadCalls) {
  const auto result = judged(entry(R"("within": "200ms")"), afterwards({ok, lost, lost, ok}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "of 3 calls issued later: 2 UNAVAILABLE, 1 OK; last bad shoppers-3 at 1.300 s");
  EXPECT_EQ(numbers(result), (Evidence{8, 10}));
}

TEST(RecoversTest, ARelapseIsNoRecovery) {
  EXPECT_EQ(judged(entry(R"("within": "100ms")"), afterwards({ok, ok, ok, lost, ok})).verdict,
            Verdict::failed);
}

TEST(RecoversTest, AShareAndOtherCodesMayDo) {
  const auto relapse = afterwards({lost, ok, ok, lost, ok, ok});
  EXPECT_PASSED(judged(entry(R"("within": "200ms", "share": "80%")"), relapse));
  EXPECT_EQ(judged(entry(R"("within": "200ms", "share": "90%")"), relapse).verdict, Verdict::failed);
  EXPECT_PASSED(judged(entry(R"("within": "100ms", "status": ["OK", "UNAVAILABLE"])"), relapse));
}

TEST(RecoversTest, ACallThatNeverEndsIsNotWell) {
  HistoryBuilder builder = afterwards({ok, ok});
  builder.at(1500ms).issue(9);
  const auto result = judged(entry(R"("within": "100ms")"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 never ended"), std::string::npos) << result.actual;
}

TEST(RecoversTest, ALoadThatStopsTooEarlyProvesNothing) {
  const auto result = judged(entry(R"("within": "2s")"), afterwards({lost, lost}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call was issued later than 2s after the window began");
  const auto well_so_far = judged(entry(R"("within": "2s")"), afterwards({lost, ok}));
  EXPECT_EQ(well_so_far.verdict, Verdict::inconclusive) << "one good call is no recovery that lasts";
  EXPECT_EQ(well_so_far.reason, result.reason);
  EXPECT_EQ(well_so_far.actual, "well 200 ms after the window began; 1 call from then on");
  EXPECT_EQ(judged(entry(R"("within": "300ms", "min_samples": 5)"), afterwards({lost, ok, ok})).reason,
            "only 2 samples, 5 needed");
}

}  // namespace
}  // namespace breakwire::checks
