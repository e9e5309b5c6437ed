#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

HistoryBuilder killed(std::optional<int> code, std::optional<int> signal, bool exits = true) {
  HistoryBuilder builder;
  builder.fault({.id = {"f"}, .kind = "signal", .on = "orders", .process = true, .instant = true});
  builder.process("orders", 10).phase(Phase::baseline).at(1s).arm("f").hit("f", "", 0, 0, "send_signal");
  if (exits) builder.at(1200ms).exit("orders", 10, code, signal);
  return builder.at(4s).phase(Phase::teardown).at(5s).exit("orders", 10, 0);
}
std::string entry(const std::string& rest) {
  return R"({"check": "exit", "service": "orders", "after": "f")" + rest + "}";
}

TEST(ExitTest, InTimeWithItsCodeOrSignal) {
  EXPECT_PASSED(judged(entry(""), killed(3, {})));
  EXPECT_PASSED(judged(entry(R"(, "within": "200ms", "code": 0)"), killed(0, {})));
  EXPECT_PASSED(judged(entry(R"(, "signal": "SIGKILL")"), killed({}, SIGKILL)));
}

TEST(ExitTest, SaysHowItEndedInstead) {
  const auto signalled = judged(entry(R"(, "code": 0)"), killed({}, SIGTERM));
  EXPECT_EQ(signalled.verdict, Verdict::failed);
  EXPECT_EQ(signalled.expected, "orders exits with code 0");
  EXPECT_EQ(signalled.actual, "pid 10 was ended by SIGTERM 200 ms after the window began");
  EXPECT_EQ(numbers(signalled), Evidence{5});
  EXPECT_EQ(judged(entry(R"(, "signal": "SIGKILL")"), killed(0, {})).verdict, Verdict::failed);
  EXPECT_EQ(judged(entry(R"(, "within": "199ms")"), killed(0, {})).verdict, Verdict::failed);
}

TEST(ExitTest, BeingStoppedAtTheEndIsNotAnExit) {
  const auto result = judged(entry(R"(, "within": "2s")"), killed(0, {}, false));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "pid 10 did not exit in the window");
  EXPECT_EQ(numbers(result), Evidence{1});
  EXPECT_EQ(judged(entry(R"(, "within": "9s")"), killed(0, {}, false)).reason,
            "the window closed before 9s were over");
}

TEST(ExitTest, WithoutAProcessNothingIsProved) {
  EXPECT_EQ(judged(R"({"check": "exit", "service": "inventory"})", killed(0, {})).reason,
            "no process of inventory ran in the window");
}

}  // namespace
}  // namespace breakwire::checks
