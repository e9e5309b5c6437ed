#include "faults/match.h"

#include <gtest/gtest.h>

#include "faults/action.h"

namespace breakwire::faults {
namespace {

struct PatternCase {
  std::string pattern;
  std::string text;
  bool matches;
};
class PatternTest : public ::testing::TestWithParam<PatternCase> {};

TEST_P(PatternTest, StarsMatchAnyRunAndTheRestItself) {
  const auto& [pattern, text, matches] = GetParam();
  EXPECT_EQ(matches_pattern(pattern, text), matches) << pattern << " against " << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, PatternTest,
    ::testing::Values(PatternCase{"shop.v1.Orders/Place", "shop.v1.Orders/Place", true},
                      PatternCase{"shop.v1.Orders/Place", "shop.v1.Orders/PlaceAll", false},
                      PatternCase{"shop.v1.Orders/*", "shop.v1.Orders/Place", true},
                      PatternCase{"shop.v1.Orders/*", "shop.v1.Orders/", true},
                      PatternCase{"shop.v1.Orders/*", "shop.v1.Order/Place", false},
                      PatternCase{"*/Place", "shop.v1.Orders/Place", true},
                      PatternCase{"*/Place", "shop.v1.Orders/Place2", false},
                      PatternCase{"shop.*.Orders/P*e", "shop.v1.Orders/Place", true},
                      PatternCase{"*aab", "aaaaab", true}, PatternCase{"a*b*c", "a-b-b-cc", true},
                      PatternCase{"a*b*c", "a-c-b", false}, PatternCase{"", "", true},
                      PatternCase{"", "x", false}, PatternCase{"*", "", true}, PatternCase{"**", "x", true},
                      PatternCase{"shop.v1", "shopxv1", false}, PatternCase{"?", "x", false}));

TEST(PatternTest, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "*a";
  EXPECT_FALSE(matches_pattern(pattern + "b", std::string(20'000, 'a')));
}

TEST(ActionTest, OnlyForwardDelayAndEffectsLeaveTheEventToLaterFaults) {
  const std::vector<WireAction> all{Forward{},
                                    Delay{1ms},
                                    Hold{},
                                    EndCall{},
                                    WithholdResponse{},
                                    ResetStream{},
                                    ResetConnection{},
                                    CloseConnection{},
                                    Mute{},
                                    StopListening{},
                                    Pace{},
                                    Swallow{},
                                    Corrupt{},
                                    Isolate{},
                                    SendGoaway{},
                                    EditSettings{},
                                    AnswerHttp{},
                                    DropTrailers{},
                                    EditFields{},
                                    CutMessage{}};
  std::vector<std::string> terminal;
  for (const auto& action : all) {
    if (is_terminal(action)) terminal.push_back(name_of(action));
  }
  EXPECT_EQ(terminal, (std::vector<std::string>{"hold", "end_call", "withhold_response", "reset_stream",
                                                "reset_connection", "close_connection", "mute",
                                                "stop_listening", "swallow", "send_goaway", "answer_http",
                                                "drop_trailers", "cut_message"}));
}

TEST(ActionTest, EveryProcessActionHasTheNameReportsUse) {
  const std::vector<ProcessAction> all{Nothing{},      SendSignal{}, KillTree{},  StopTree{},
                                       ContinueTree{}, StartAgain{}, SetLimits{}, RestoreLimits{},
                                       Throttle{},     RunCommand{}, EndCommand{}};
  std::vector<std::string> names;
  for (const auto& action : all) names.push_back(name_of(action));
  EXPECT_EQ(names, (std::vector<std::string>{"nothing", "send_signal", "kill_tree", "stop_tree",
                                             "continue_tree", "start_again", "set_limits", "restore_limits",
                                             "throttle", "run_command", "end_command"}));
}

}  // namespace
}  // namespace breakwire::faults
