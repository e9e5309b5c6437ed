// limit and starve_cpu on a real process: what it can still have, and that it has it back.
#include <sys/resource.h>

#include "tests/faults/relay/sockets.h"
#include "tests/harness/run/victim.h"

namespace breakwire::run {
namespace {

class ScarcityTest : public ProcessFaultTest {
 protected:
  /// What the process itself says came of it.
  std::string tried(const std::string& what) const {
    auto socket = relay::testing::dial(port.port());
    EXPECT_TRUE(socket.send(what));
    socket.send_fin();
    return socket.receive(100);
  }
  static rlim_t soft_limit(int pid, decltype(RLIMIT_AS) resource) {
    rlimit limit{};
    EXPECT_EQ(::prlimit(pid, resource, nullptr, &limit), 0);
    return limit.rlim_cur;
  }
  rlim_t descriptors(size_t process = 1) {
    return soft_limit(nth<history::ProcessStarted>(process).pid, RLIMIT_NOFILE);
  }
  bool stops() {
    return becomes(pid(), [](char state) { return state == 'T'; });
  }
  bool goes_on() {
    return becomes(pid(), [](char state) { return state != 'T' && state != 'x'; });
  }
  /// For as long as a look takes, it is never seen in another state.
  bool remains(bool stopped) {
    for (const Instant end = now() + 150ms; now() < end; std::this_thread::yield()) {
      if ((state_of(pid()) == 'T') != stopped) return false;
    }
    return true;
  }
};

TEST_F(ScarcityTest, DescriptorsRunOutAndAreThereAgain) {
  const auto before = descriptors();
  ASSERT_EQ(tried("files"), "500");
  EXPECT_EQ(begin("limit", R"({"descriptors": 16})"), std::nullopt);
  const std::string few = tried("files");
  EXPECT_NE(few.find("Too many open files"), std::string::npos) << few;
  EXPECT_LT(std::stoi(few), 16);
  EXPECT_EQ(end("limit", R"({"descriptors": 16})"), std::nullopt);
  EXPECT_EQ(tried("files"), "500");
  EXPECT_EQ(descriptors(), before);
}

TEST_F(ScarcityTest, MemoryRunsOutAndIsThereAgain) {
  ASSERT_EQ(tried("memory"), "enough");
  EXPECT_EQ(begin("limit", R"({"address_space": "200MiB"})"), std::nullopt);
  EXPECT_EQ(tried("memory"), "MemoryError");
  EXPECT_EQ(end("limit", R"({"address_space": "200MiB"})"), std::nullopt);
  EXPECT_EQ(tried("memory"), "enough");
}

TEST_F(ScarcityTest, OfTwoLimitsTheTighterHoldsUntilItsEnd) {
  const auto before = descriptors();
  begin("limit", R"({"descriptors": 20})", "loose");
  begin("limit", R"({"descriptors": 10})", "tight");
  EXPECT_EQ(descriptors(), 10u);
  end("limit", R"({"descriptors": 10})", "tight");
  EXPECT_EQ(descriptors(), 20u);
  begin("limit", R"({"descriptors": 10})", "tight");
  end("limit", R"({"descriptors": 20})", "loose");
  EXPECT_EQ(descriptors(), 10u);
  end("limit", R"({"descriptors": 10})", "tight");
  EXPECT_EQ(descriptors(), before);
}

TEST_F(ScarcityTest, AProcessThatIsStartedAgainIsLimitedTooAndLetGoOf) {
  const auto before = descriptors();
  begin("limit", R"({"descriptors": 16})", "limit");
  begin("restart", R"({"down": "10ms"})", "restart");
  end("restart", R"({"down": "10ms"})", "restart");
  nth<history::ServiceReady>(2);
  EXPECT_EQ(descriptors(2), 16u);
  end("limit", R"({"descriptors": 16})", "limit");
  EXPECT_EQ(descriptors(2), before);
}

TEST_F(ScarcityTest, ALimitThatLimitsNothingIsTold) {
  const auto before = descriptors();
  const auto why = begin("limit", R"({"descriptors": 1000000000})");
  ASSERT_TRUE(why);
  EXPECT_EQ(*why, "service `victim` may have no more than " + std::to_string(before) + " descriptors anyway");
  end("limit", R"({"descriptors": 1000000000})");
  EXPECT_EQ(descriptors(), before);
}

TEST_F(ScarcityTest, AProcessThatIsGoneCannotBeLimited) {
  begin("kill");
  nth<history::ProcessExited>(1);
  EXPECT_EQ(begin("limit", R"({"descriptors": 16})"), "service `victim` is not running");
  EXPECT_EQ(end("limit", R"({"descriptors": 16})"), std::nullopt);
}

constexpr const char* half = R"({"share": "50%", "period": "40ms"})";

TEST_F(ScarcityTest, ItIsStoppedAndGoesOnAgainAndAgainAndIsNeverLeftStopped) {
  begin("starve_cpu", half);
  for (int period = 0; period < 5; ++period) {
    ASSERT_TRUE(stops());
    ASSERT_TRUE(goes_on());
  }
  ASSERT_TRUE(stops());
  end("starve_cpu", half);
  EXPECT_TRUE(goes_on());
  EXPECT_TRUE(remains(false));
  EXPECT_EQ(nth<history::SignalSent>(1).signal, SIGSTOP);
  EXPECT_EQ(nth<history::SignalSent>(2).signal, SIGCONT);  // and none of those in between
}

TEST_F(ScarcityTest, WhoIsPausedStaysSoWhileItIsStarved) {
  begin("pause", "{}", "pause");
  begin("starve_cpu", half, "starve");
  ASSERT_TRUE(stops());
  EXPECT_TRUE(remains(true));
  end("pause", "{}", "pause");
  ASSERT_TRUE(goes_on());
  ASSERT_TRUE(stops());  // starved again
  end("starve_cpu", half, "starve");
  EXPECT_TRUE(goes_on());
  EXPECT_TRUE(remains(false));
}

TEST_F(ScarcityTest, AProcessThatIsStartedAgainIsStarvedToo) {
  begin("starve_cpu", half, "starve");
  begin("restart", R"({"down": "10ms"})", "restart");
  nth<history::ProcessExited>(1);
  end("restart", R"({"down": "10ms"})", "restart");
  const int second = nth<history::ProcessStarted>(2).pid;
  EXPECT_TRUE(becomes(second, [](char state) { return state == 'T'; }));
  nth<history::ServiceReady>(2);
  end("starve_cpu", half, "starve");
  EXPECT_TRUE(becomes(second, [](char state) { return state != 'T' && state != 'x'; }));
}

TEST_F(ScarcityTest, AServiceThatIsToStopIsLetGoOf) {
  begin("starve_cpu", R"({"share": "99%", "period": "1h"})");
  ASSERT_TRUE(stops());
  victim->ask_to_stop();
  EXPECT_TRUE(victim->stopped());
  EXPECT_EQ(nth<history::ProcessExited>(1).code, 7);
}

TEST_F(ScarcityTest, WithoutItsGuardNothingThrows) {
  begin("starve_cpu", half, "starve");
  begin("limit", R"({"descriptors": 16})", "limit");
  ASSERT_EQ(::kill(guard.pid(), SIGKILL), 0);
  nth<history::ProcessExited>(1);
  EXPECT_NO_THROW(end("starve_cpu", half, "starve"));
  EXPECT_NO_THROW(end("limit", R"({"descriptors": 16})", "limit"));
  EXPECT_NO_THROW(begin("limit", R"({"descriptors": 16})"));
}

}  // namespace
}  // namespace breakwire::run
