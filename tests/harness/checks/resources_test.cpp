#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

struct Level {
  uint64_t threads = 10, descriptors = 20, mebibytes = 100;
};

/// 500 ms of baseline, a fault from 500 ms to 1 s, samples every 50 ms; teardown at 4 s.
class ResourcesTest : public testing::Test {
 protected:
  ResourcesTest() { begin(); }

  void begin() {
    b = {};
    b.process("orders", 7).phase(Phase::baseline);
    seen(0ms, 500ms, {});
    b.at(500ms).arm("f").hit("f");
  }

  void seen(Duration from, Duration to, Level level, const char* service = "orders") {
    for (Duration t = from; t < to; t += 50ms)
      b.at(t).add(
          history::ResourcesSeen{{service}, 7, level.threads, level.descriptors, level.mebibytes << 20});
  }
  void clear() { b.at(1s).clear("f"); }
  CheckResult ask(const std::string& rest) {
    b.at(4s).phase(Phase::teardown);
    seen(4s, 4200ms, {1000, 1000, 1000});  // whatever it does while it is being stopped
    return judged(R"({"check": "resources", "service": "orders", )" + rest + "}", b);
  }
  /// Judges the time after the fault, in which the service keeps `level`.
  CheckResult afterwards(Level level, const std::string& rest = R"("within": "1s")") {
    begin();
    seen(500ms, 1s, {90, 90, 190});
    clear();
    seen(1s, 2s, {90, 90, 190});
    seen(2s, 4s, level);
    return ask(R"("after": "f", )" + rest);
  }

  HistoryBuilder b;
};

TEST_F(ResourcesTest, WhatWasTakenIsGivenBack) {
  const auto result = afterwards({15, 25, 116});
  EXPECT_PASSED(result);
  EXPECT_EQ(result.expected,
            "orders holds after 1s and at the end what it held before: threads +5, descriptors +5, memory "
            "+16MiB or "
            "10%");
  EXPECT_EQ(result.actual,
            "15 threads at the end, 10 before; 25 descriptors at the end, 20 before; 116 MiB memory at the "
            "end, 100 "
            "MiB before");
  EXPECT_EQ(result.samples, 20u) << "those of the last second";
}

TEST_F(ResourcesTest, ThreadsThatStayAreRed) {
  const auto result = afterwards({16, 20, 100});
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_TRUE(result.actual.ends_with("; 6 threads too many: only 5 more are tolerated, most at 3.000 s"))
      << result.actual;
  // The first sample of the last second is the highest; the last one shows that it stays.
  EXPECT_EQ(numbers(result), (Evidence{66, 85}));
}

TEST_F(ResourcesTest, DescriptorsThatStayAreRed) {
  EXPECT_TRUE(afterwards({10, 26, 100})
                  .actual.ends_with("; 6 descriptors too many: only 5 more are tolerated, most at 3.000 s"));
}

TEST_F(ResourcesTest, MemoryThatStaysIsRed) { EXPECT_EQ(afterwards({10, 20, 117}).verdict, Verdict::failed); }

TEST_F(ResourcesTest, TolerancesAreTheFiles) {
  const std::string strict = R"("within": "1s", "threads": 0, "descriptors": 0, "memory": "0B")";
  EXPECT_EQ(afterwards({11, 20, 100}, strict).verdict, Verdict::failed);
  EXPECT_EQ(afterwards({10, 21, 100}, strict).verdict, Verdict::failed);
  EXPECT_EQ(afterwards({10, 20, 101}, strict).verdict, Verdict::failed);
  const std::string loose = R"("within": "1s", "threads": 40, "descriptors": 40, "memory": "40MiB")";
  EXPECT_PASSED(afterwards({50, 60, 140}, loose));
}

TEST_F(ResourcesTest, LessThanBeforeIsFine) { EXPECT_PASSED(afterwards({1, 2, 3})); }

TEST_F(ResourcesTest, ASingleSampleIsNoLeakAndNoReturn) {
  seen(500ms, 1s, {});
  clear();
  seen(1s, 3900ms, {});
  seen(3900ms, 3950ms, {90, 90, 190});
  EXPECT_PASSED(ask(R"("after": "f", "within": "1s")"));
}

TEST_F(ResourcesTest, ADipIsNoReturn) {
  seen(500ms, 1s, {});
  clear();
  seen(1s, 3900ms, {90, 20, 100});
  seen(3900ms, 4s, {});
  EXPECT_EQ(ask(R"("after": "f", "within": "1s")").verdict, Verdict::failed);
}

TEST_F(ResourcesTest, WhatIsSeenBeforeWithinIsNotHeldAgainstIt) {
  seen(500ms, 1s, {});
  clear();
  seen(1s, 3800ms, {90, 20, 100});
  seen(3800ms, 4s, {});
  EXPECT_PASSED(ask(R"("after": "f", "within": "2800ms")"));
}

TEST_F(ResourcesTest, APeakOfTheWindowIsBounded) {
  seen(500ms, 700ms, {});
  seen(700ms, 750ms, {25, 40, 110});
  seen(750ms, 1s, {});
  clear();
  const std::string during = R"("during": "f", "peak": )";
  const auto result = ask(during + R"({"threads": 15, "descriptors": 20, "memory": "10MiB"})");
  EXPECT_PASSED(result);
  EXPECT_EQ(result.expected,
            "orders never holds more than its baseline and 15 threads, 20 descriptors, 10 MiB memory");
  EXPECT_EQ(result.samples, 10u);
  const auto red = ask(during + R"({"threads": 14})");
  EXPECT_EQ(red.verdict, Verdict::failed);
  EXPECT_EQ(
      red.actual,
      "25 threads at its peak, 10 before; 15 threads too many: only 14 more are tolerated, most at 0.700 s");
  EXPECT_EQ(numbers(red), (Evidence{19, 24}));
  EXPECT_EQ(ask(during + R"({"descriptors": 19})").verdict, Verdict::failed);
  EXPECT_EQ(ask(during + R"({"memory": "9MiB"})").verdict, Verdict::failed);
}

TEST_F(ResourcesTest, APeakThatWasTooHighIsRedWhateverIsSeenOfTheEnd) {
  clear();
  seen(1s, 2s, {25, 20, 100});
  const std::string peak = R"("after": "f", "peak": {"threads": 14}, )";
  const auto unseen = ask(peak + R"("within": "1s")");
  EXPECT_EQ(unseen.verdict, Verdict::failed);
  EXPECT_EQ(
      unseen.actual,
      "25 threads at its peak, 10 before; 15 threads too many: only 14 more are tolerated, most at 1.000 s");
  EXPECT_EQ(unseen.reason, "");
  EXPECT_EQ(ask(peak + R"("within": "4s")").verdict, Verdict::failed) << "and the window was too short";
  EXPECT_EQ(ask(R"("after": "f", "peak": {"threads": 15}, "within": "1s")").reason,
            "nothing was seen of orders at the window's end: it did not run then");
}

TEST_F(ResourcesTest, TheBaselineIsTheMostOfItAndEndsWithTheFirstFault) {
  b.at(400ms).add(history::ResourcesSeen{{"orders"}, 7, 15, 20, 100u << 20});
  b.at(500ms).add(history::ResourcesSeen{{"orders"}, 7, 50, 20, 100u << 20});
  clear();
  seen(1s, 4s, {20, 20, 100});
  EXPECT_PASSED(ask(R"("after": "f", "within": "1s")"));
}

TEST_F(ResourcesTest, OtherServicesDoNotCount) {
  clear();
  seen(1s, 4s, {});
  seen(1s, 4s, {90, 90, 190}, "inventory");
  EXPECT_PASSED(ask(R"("after": "f", "within": "1s")"));
}

TEST_F(ResourcesTest, WithoutSamplesThereIsNoVerdict) {
  clear();
  EXPECT_EQ(ask(R"("after": "f", "within": "1s")").reason,
            "nothing was seen of orders at the window's end: it did not run then");
  EXPECT_EQ(ask(R"("during": "f", "peak": {"threads": 1})").reason,
            "nothing was seen of orders in the window: it did not run then");
  EXPECT_EQ(ask(R"("after": "f", "within": "4s")").reason, "the window closed before 4s were over");
}

TEST_F(ResourcesTest, WithoutABaselineThereIsNoVerdict) {
  HistoryBuilder late;
  late.phase(Phase::baseline).at(500ms).arm("f").hit("f").at(1s).clear("f");
  late.at(3s).add(history::ResourcesSeen{{"orders"}, 7, 1, 1, 1}).at(4s).phase(Phase::teardown);
  const std::string entry = R"({"check": "resources", "service": "orders", "after": "f", "within": "1s"})";
  EXPECT_EQ(judged(entry, late).reason,
            "nothing was seen of orders between t = 0 and the first fault: no baseline");
}

}  // namespace
}  // namespace breakwire::checks
