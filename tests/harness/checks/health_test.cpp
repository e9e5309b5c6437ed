#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using enum history::HealthStatus;

/// A fault at 1 s, 50 ms between answers from then on.
HistoryBuilder answers(const std::vector<history::HealthStatus>& all, const char* name = "readiness") {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(900ms).health("orders", serving, name).at(1s).arm("f").hit("f");
  for (size_t i = 0; i < all.size(); ++i)
    builder.at(1s + 50ms * static_cast<int>(i + 1)).health("orders", all[i], name);
  return builder.at(3s).clear("f").phase(Phase::teardown);
}
std::string entry(const std::string& rest) {
  return R"({"check": "health", "service": "orders", "during": "f", )" + rest + "}";
}

TEST(HealthTest, IsSomethingInTime) {
  const auto dead = answers({serving, serving, not_serving, serving});
  const auto result = judged(entry(R"("is": "NOT_SERVING", "within": "150ms")"), dead);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "3 SERVING; 1 NOT_SERVING; NOT_SERVING 150 ms after the window began");
  EXPECT_EQ(result.samples, 4u);
  EXPECT_PASSED(judged(entry(R"("is": "NOT_SERVING")"), dead));
}

TEST(HealthTest, TooLateOrNeverIsShown) {
  const auto late =
      judged(entry(R"("is": "NOT_SERVING", "within": "100ms")"), answers({serving, serving, not_serving}));
  EXPECT_EQ(late.verdict, Verdict::failed);
  EXPECT_EQ(numbers(late), Evidence{7});
  const auto never = judged(entry(R"("is": "NOT_SERVING", "within": "1s")"), answers({serving, serving}));
  EXPECT_EQ(never.verdict, Verdict::failed);
  EXPECT_EQ(never.actual, "2 SERVING; never NOT_SERVING");
  EXPECT_EQ(numbers(never), Evidence{6});
}

TEST(HealthTest, NothingIsDecidedBeforeItsTime) {
  const auto result = judged(entry(R"("is": "NOT_SERVING", "within": "5s")"), answers({serving}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "the window closed before 5s were over");
}

TEST(HealthTest, ThroughoutAllowsNoOtherAnswer) {
  EXPECT_PASSED(judged(entry(R"("throughout": "SERVING")"), answers({serving, serving})));
  const auto result = judged(entry(R"("throughout": "SERVING")"), answers({serving, unreachable, serving}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "2 SERVING; 1 UNREACHABLE; 1 other, first UNREACHABLE at 1.100 s");
  EXPECT_EQ(numbers(result), Evidence{6});
}

TEST(HealthTest, TransitionsAreCounted) {
  const auto flapping = answers({serving, not_serving, serving, not_serving});
  EXPECT_PASSED(judged(entry(R"("transitions": {"at_most": 3})"), flapping));
  const auto result = judged(entry(R"("transitions": {"at_most": 1})"), flapping);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "2 SERVING; 2 NOT_SERVING; 3 changes");
  EXPECT_EQ(numbers(result), (Evidence{7, 8}));
  EXPECT_EQ(judged(entry(R"("transitions": {"at_most": 0})"), answers({serving})).verdict,
            Verdict::inconclusive);
}

TEST(HealthTest, LivenessAndReadinessAreSeparateAndAskedByTheServicesNames) {
  auto setup = HistoryBuilder::shop();
  setup.services[1].liveness = "alive";
  HistoryBuilder builder(setup);
  builder.phase(Phase::baseline).at(1s).health("orders", serving, "alive").health("orders", not_serving);
  builder.health("orders", service_unknown, "");
  EXPECT_PASSED(judged(
      R"({"check": "health", "service": "orders", "probe": "liveness", "throughout": "SERVING"})", builder));
  EXPECT_PASSED(judged(R"({"check": "health", "service": "orders", "throughout": "NOT_SERVING"})", builder));
  EXPECT_PASSED(judged(
      R"({"check": "health", "service": "orders", "probe": "server", "is": "SERVICE_UNKNOWN"})", builder));
}

TEST(HealthTest, AnswersToQuestionsFromBeforeTheWindowDoNotCount) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).arm("f").hit("f").at(1010ms);
  builder.add(history::HealthSeen{{"orders"}, "readiness", serving, t0 + 990ms, {}});
  const auto result = judged(entry(R"("throughout": "SERVING")"), builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "only 0 samples, 1 needed");
}

TEST(HealthTest, WishesTheNameItAsksFor) {
  const auto readiness = spec_of(R"({"check": "health", "service": "orders", "is": "SERVING"})").check;
  EXPECT_EQ(std::get<HealthWish>(readiness->wishes().at(0)).name, "readiness");
  const auto server =
      spec_of(
          R"({"check": "health", "service": "orders", "probe": "server", "is": "SERVING", "within": "2s"})")
          .check;
  EXPECT_EQ(std::get<HealthWish>(server->wishes().at(0)).name, "");
  EXPECT_EQ(server->needs(), 2s);
  EXPECT_TRUE(server->settles());
}

}  // namespace
}  // namespace breakwire::checks
