// The kinds that act on a connection's control frames: mute_ping, freeze_window, settings, goaway.
#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

constexpr ControlFrame every_frame[] = {ControlFrame::settings, ControlFrame::ping, ControlFrame::ping_ack,
                                        ControlFrame::window_update, ControlFrame::goaway};

/// What the fault says to each of them, with nothing that is not said.
std::vector<std::string> said_to_all(const std::string& kind, const std::string& with, StreamId stream = 0) {
  std::vector<std::string> all;
  const auto fault = wire_fault(kind, with);
  for (const ControlFrame frame : every_frame) {
    all.push_back(said(*fault, ControlReached{one, Direction::response, frame, stream}));
  }
  return all;
}
using Said = std::vector<std::string>;

struct MuteCase {
  std::string name, with, ping, ack;
};
class MutePingTest : public ::testing::TestWithParam<MuteCase> {};

TEST_P(MutePingTest, TakesWhatItIsToldToAndLeavesAllElse) {
  EXPECT_EQ(said_to_all("mute_ping", GetParam().with),
            (Said{"forward", GetParam().ping, GetParam().ack, "forward", "forward"}));
}

INSTANTIATE_TEST_SUITE_P(All, MutePingTest,
                         ::testing::Values(MuteCase{"both", "{}", "swallow", "swallow"},
                                           MuteCase{"pings", R"({"mute": "pings"})", "swallow", "forward"},
                                           MuteCase{"acks", R"({"mute": "acks"})", "forward", "swallow"},
                                           MuteCase{"late", R"({"mute": "acks", "late": true})", "forward",
                                                    "hold"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(MutePingKindTest, TakesTheMatchedDirectionAndConnectionsOnly) {
  FaultSet set;
  set.arm(instance("mute_ping", "{}", R"({"direction": "request", "connections": "existing"})"), Instant{});
  set.found({"mute_ping"}, one);
  EXPECT_EQ(said(set.control({one, Direction::request, ControlFrame::ping})), "swallow");
  EXPECT_EQ(said(set.control({one, Direction::response, ControlFrame::ping_ack})), "forward");
  EXPECT_EQ(said(set.control({two, Direction::request, ControlFrame::ping})), "forward");
  EXPECT_EQ(set.tally({"mute_ping"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(FreezeWindowTest, HoldsTheWindowsItIsToldTo) {
  const Said held{"forward", "forward", "forward", "hold", "forward"};
  const Said none{"forward", "forward", "forward", "forward", "forward"};
  EXPECT_EQ(said_to_all("freeze_window", "{}", 0), held);
  EXPECT_EQ(said_to_all("freeze_window", "{}", 1), held);
  EXPECT_EQ(said_to_all("freeze_window", R"({"windows": "connection"})", 0), held);
  EXPECT_EQ(said_to_all("freeze_window", R"({"windows": "connection"})", 1), none);
  EXPECT_EQ(said_to_all("freeze_window", R"({"windows": "streams"})", 0), none);
  EXPECT_EQ(said_to_all("freeze_window", R"({"windows": "streams"})", 1), held);
}

EditSettings edit_of(const std::string& with) {
  return std::get<EditSettings>(answer(*wire_fault("settings", with), ConnectionFound{one}));
}

TEST(SettingsKindTest, SetsTheValuesByTheirIdentifiers) {
  const auto edit = edit_of(R"({"max_concurrent_streams": 1, "initial_window_size": "1KiB",
      "max_frame_size": "20000B", "max_header_list_size": "8KiB", "header_table_size": "0B"})");
  EXPECT_EQ(edit.values, (std::map<uint16_t, uint32_t>{{1, 0}, {3, 1}, {4, 1024}, {5, 20'000}, {6, 8192}}));
  EXPECT_TRUE(edit.to_caller);
  EXPECT_FALSE(edit_of(R"({"of": "caller", "max_frame_size": "20000B"})").to_caller);
}

TEST(SettingsKindTest, EditsTheSettingsOfTheSideItNamesAndNothingElse) {
  EXPECT_EQ(said_to_all("settings", R"({"max_concurrent_streams": 1})"),
            (Said{"edit_settings", "forward", "forward", "forward", "forward"}));
  const auto of_caller = wire_fault("settings", R"({"of": "caller", "max_frame_size": "20000B"})");
  EXPECT_EQ(said(*of_caller, ControlReached{one, Direction::response, ControlFrame::settings}), "forward");
  EXPECT_EQ(said(*of_caller, ControlReached{one, Direction::request, ControlFrame::settings}),
            "edit_settings");
  EXPECT_EQ(said(*of_caller, ConnectionOffered{one}), "forward")
      << "its first SETTINGS come to be asked about";
}

TEST(SettingsKindTest, HitsOnlyConnectionsThatAreToldOfIt) {
  FaultSet set;
  set.arm(instance("settings", R"({"max_concurrent_streams": 1})"), Instant{});
  EXPECT_EQ(name_of(set.found({"settings"}, one)), "edit_settings");
  EXPECT_EQ(set.tally({"settings"}), (FaultTally{.eligible = 1, .hits = 0})) << "it may not speak HTTP/2";
  set.carried_out({"settings"}, one);
  EXPECT_EQ(set.tally({"settings"}), (FaultTally{.eligible = 1, .hits = 1}));
  set.offered(two);
  const auto ruling = set.control({two, Direction::response, ControlFrame::settings});
  ASSERT_EQ(ruling.effects.size(), 1u);
  EXPECT_EQ(ruling.effects[0].by, FaultId{"settings"});
  EXPECT_EQ(set.tally({"settings"}), (FaultTally{.eligible = 2, .hits = 2}));
}

TEST(SettingsKindTest, NamesTheValueThatTheStandardForbidsWithACaret) {
  EXPECT_EQ(complaint("settings", R"({ "max_frame_size": "1KiB" })"),
            "error: `max_frame_size` cannot be 1024 bytes\n"
            " --> test.json:1:21\n"
            "  |\n"
            "1 | { \"max_frame_size\": \"1KiB\" }\n"
            "  |                     ^^^^^^ RFC 9113 §6.5.2 allows 16384 (2^14) to 16777215 (2^24-1)\n");
}

struct WrongSetting {
  std::string name, with, says;
};
class WrongSettingTest : public ::testing::TestWithParam<WrongSetting> {};

TEST_P(WrongSettingTest, IsAnError) {
  const std::string text = complaint("settings", GetParam().with);
  EXPECT_NE(text.find("error: " + GetParam().says), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongSettingTest,
    ::testing::Values(
        WrongSetting{"nothing", "{}", "`settings` changes nothing"},
        WrongSetting{"only_whose", R"({"of": "caller"})", "`settings` changes nothing"},
        WrongSetting{"window", R"({"initial_window_size": "2GiB"})", "`initial_window_size` cannot be"},
        WrongSetting{"frame", R"({"max_frame_size": "16MiB"})", "`max_frame_size` cannot be"},
        WrongSetting{"list", R"({"max_header_list_size": "4GiB"})", "`max_header_list_size` cannot be"},
        WrongSetting{"table", R"({"header_table_size": "8KiB"})", "`header_table_size` cannot be"},
        WrongSetting{"streams_of_caller", R"({"of": "caller", "max_concurrent_streams": 1})",
                     "a caller's `max_concurrent_streams` limits pushed streams"},
        WrongSetting{"bare", R"({"initial_window_size": 100})", "a bare number is not a size"}),
    [](const auto& tested) { return tested.param.name; });

TEST(SettingsKindTest, TakesTheBoundsThemselves) {
  for (const char* with : {R"({"max_frame_size": "16384B"})", R"({"max_frame_size": "16777215B"})",
                           R"({"initial_window_size": "0B"})", R"({"initial_window_size": "2147483647B"})",
                           R"({"max_header_list_size": "4294967295B"})", R"({"header_table_size": "4096B"})",
                           R"({"max_concurrent_streams": 0})"}) {
    EXPECT_EQ(complaint("settings", with), "") << with;
  }
}

TEST(GoawayKindTest, SaysItOnEveryConnectionAndHitsWhereItWasSaid) {
  FaultSet set;
  set.arm(instance("goaway", R"({"code": "ENHANCE_YOUR_CALM", "debug": "too_many_pings", "last": "forwarded",
                                 "then": "close"})"),
          Instant{});
  const auto found = set.found({"goaway"}, one);
  const auto& goaway = std::get<SendGoaway>(found);
  EXPECT_EQ(goaway.code, Http2Error::enhance_your_calm);
  EXPECT_EQ(goaway.debug, "too_many_pings");
  EXPECT_EQ(goaway.last, SendGoaway::Last::forwarded);
  EXPECT_EQ(goaway.then, SendGoaway::Then::close);
  const auto offered = set.offered(two);
  ASSERT_EQ(offered.later.size(), 1u);
  EXPECT_EQ(name_of(offered.later[0].action), "send_goaway");
  EXPECT_EQ(set.tally({"goaway"}), (FaultTally{.eligible = 2, .hits = 0}));
  set.carried_out({"goaway"}, two);
  EXPECT_EQ(set.tally({"goaway"}), (FaultTally{.eligible = 2, .hits = 1}));
}

TEST(GoawayKindTest, IsGracefulWhenNothingElseIsSaid) {
  const auto found = answer(*wire_fault("goaway"), ConnectionFound{one});
  const auto& goaway = std::get<SendGoaway>(found);
  EXPECT_EQ(goaway.code, Http2Error::no_error);
  EXPECT_EQ(goaway.debug, "");
  EXPECT_EQ(goaway.last, SendGoaway::Last::none_refused);
  EXPECT_EQ(goaway.then, SendGoaway::Then::drain);
}

TEST(GoawayKindTest, RefusesDebugDataThatFitsIntoNoFrame) {
  EXPECT_EQ(complaint("goaway", R"({"debug": ")" + std::string(16'376, 'x') + R"("})"), "");
  EXPECT_NE(
      complaint("goaway", R"({"debug": ")" + std::string(16'377, 'x') + R"("})").find("at most 16376 bytes"),
      std::string::npos);
}

TEST(GoawayKindTest, NeedsTimeToFindNewConnections) {
  ErrorList errors;
  const auto written = parsed(R"({"connections": "new"})");
  const auto& kind = *find_fault_kind("goaway");
  EXPECT_FALSE(fits_without_length(kind, *read_match(kind, written, errors), written, errors));
}

}  // namespace
}  // namespace breakwire::faults
