// The faults that act on processes: what is done when they begin and when they end.
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

struct ProcessCase {
  std::string name, kind, with, begins, ends;
  Lifetime lifetime;
};
class ProcessKindTest : public ::testing::TestWithParam<ProcessCase> {};

ProcessAction decided(const std::string& kind, const std::string& with, const ProcessEvent& event) {
  Rng rng(1);
  return std::get<std::shared_ptr<const ProcessFault>>(make(kind, with))->decide(event, {}, rng);
}

TEST_P(ProcessKindTest, ActsAsItBeginsAndAsItEnds) {
  const auto& c = GetParam();
  EXPECT_EQ(name_of(decided(c.kind, c.with, ProcessArmed{})), c.begins);
  EXPECT_EQ(name_of(decided(c.kind, c.with, ProcessCleared{})), c.ends);
  EXPECT_EQ(find_fault_kind(c.kind)->lifetime, c.lifetime);
}

INSTANTIATE_TEST_SUITE_P(
    All, ProcessKindTest,
    ::testing::Values(ProcessCase{"signal", "signal", R"({"signal": "SIGTERM"})", "send_signal", "nothing",
                                  Lifetime::instant},
                      ProcessCase{"kill", "kill", "{}", "kill_tree", "nothing", Lifetime::instant},
                      ProcessCase{"pause", "pause", "{}", "stop_tree", "continue_tree", Lifetime::span},
                      ProcessCase{"restart", "restart", R"({"down": "1s"})", "kill_tree", "start_again",
                                  Lifetime::down},
                      ProcessCase{"restart_gently", "restart", R"({"down": "1s", "signal": "SIGTERM"})",
                                  "send_signal", "start_again", Lifetime::down},
                      ProcessCase{"limit", "limit", R"({"descriptors": 16})", "set_limits", "restore_limits",
                                  Lifetime::span},
                      ProcessCase{"starve_cpu", "starve_cpu", R"({"share": "80%"})", "throttle",
                                  "continue_tree", Lifetime::span},
                      ProcessCase{"command", "command", R"({"run": ["true"]})", "run_command", "end_command",
                                  Lifetime::span}),
    [](const auto& tested) { return tested.param.name; });

struct SignalCase {
  std::string name;
  int number;
};
class SignalTest : public ::testing::TestWithParam<SignalCase> {};

TEST_P(SignalTest, IsSentByTheNumberOfItsName) {
  const auto action = decided("signal", "{\"signal\": \"" + GetParam().name + "\"}", ProcessArmed{});
  EXPECT_EQ(std::get<SendSignal>(action).number, GetParam().number);
}

INSTANTIATE_TEST_SUITE_P(All, SignalTest,
                         ::testing::Values(SignalCase{"SIGTERM", SIGTERM}, SignalCase{"SIGINT", SIGINT},
                                           SignalCase{"SIGHUP", SIGHUP}, SignalCase{"SIGQUIT", SIGQUIT},
                                           SignalCase{"SIGKILL", SIGKILL}, SignalCase{"SIGABRT", SIGABRT},
                                           SignalCase{"SIGUSR1", SIGUSR1}, SignalCase{"SIGUSR2", SIGUSR2},
                                           SignalCase{"SIGPIPE", SIGPIPE}, SignalCase{"SIGALRM", SIGALRM}),
                         [](const auto& tested) { return tested.param.name; });

TEST(RestartTest, LastsAsLongAsItsParameterDownSays) {
  EXPECT_EQ(find_fault_kind("restart")->down(parsed(R"({"down": "1.5s"})")), 1500ms);
}

TEST(RestartTest, SendsSigtermWhenAskedTo) {
  EXPECT_EQ(std::get<SendSignal>(decided("restart", R"({"down": "1s", "signal": "SIGTERM"})", ProcessArmed{}))
                .number,
            SIGTERM);
}

}  // namespace
}  // namespace breakwire::faults
