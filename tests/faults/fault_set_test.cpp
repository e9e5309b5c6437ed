// How several faults on one edge rule together, and what is counted.
#include <gtest/gtest.h>

#include "tests/faults/fakes.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;
using Ids = std::vector<FaultId>;

constexpr Instant start{};
constexpr ConnectionId first{1};
constexpr ConnectionId second{2};

TEST(FaultSetTest, ForwardsEverythingWhenNothingIsArmed) {
  FaultSet set;
  const auto facts = call(1);
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(said(ask(set, facts)), "forward");
  EXPECT_EQ(said(set.bytes(first, Direction::request, 10)), "forward");
  EXPECT_EQ(said(set.offered(first)), "forward");
}

TEST(FaultSetTest, AddsDelaysUpAndSaysWhoseTheyAre) {
  FaultSet set;
  set.arm(fault("a", on<BytesReady>(Delay{30ms}), {}, 0), start);
  set.arm(fault("b", on<BytesReady>(Delay{12ms}), {}, 1), start);
  const Ruling ruling = set.bytes(first, Direction::request, 10);
  EXPECT_EQ(ruling.delay, 42ms);
  EXPECT_EQ(said(ruling), "forward");
  EXPECT_EQ(ruling.delayed_by, (Ids{{"a"}, {"b"}}));
  EXPECT_TRUE(ruling.by.empty());
}

TEST(FaultSetTest, LetsTheFirstTerminalActionOfTheTimelineWinWhateverWasArmedFirst) {
  FaultSet set;
  set.arm(fault("late", at(Stage::headers, Hold{}), {}, 7), start);
  set.arm(fault("early", at(Stage::headers, EndCall{StatusCode::aborted, "", {}}), {}, 3), start);
  const auto facts = call(1);
  const Ruling ruling = ask(set, facts);
  EXPECT_EQ(said(ruling), "end_call");
  EXPECT_EQ(ruling.by, FaultId{"early"});
  EXPECT_EQ(set.tally({"early"}), (FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_EQ(set.tally({"late"}), (FaultTally{.eligible = 1, .hits = 0}));
}

TEST(FaultSetTest, KeepsTheDelaysBeforeATerminalActionAndDropsThoseAfterIt) {
  FaultSet set;
  set.arm(fault("before", at(Stage::headers, Delay{5ms}), {}, 0), start);
  set.arm(fault("end", at(Stage::headers, EndCall{}), {}, 1), start);
  set.arm(fault("after", at(Stage::headers, Delay{50ms}), {}, 2), start);
  const auto facts = call(1);
  const Ruling ruling = ask(set, facts);
  EXPECT_EQ(ruling.delay, 5ms);
  EXPECT_EQ(ruling.delayed_by, Ids{{"before"}});
  EXPECT_EQ(set.tally({"after"}).hits, 0u);
}

TEST(FaultSetTest, CountsAByteLevelActionOncePerConnectionAndDirection) {
  FaultSet set;
  set.arm(fault("slow", on<BytesReady>(Delay{1ms})), start);
  for (int i = 0; i < 3; ++i) {
    set.bytes(first, Direction::request, 10);
    set.bytes(first, Direction::response, 10);
    set.bytes(second, Direction::request, 10);
  }
  EXPECT_EQ(set.tally({"slow"}), (FaultTally{.eligible = 2, .hits = 3}));
}

TEST(FaultSetTest, CountsACallOnceHoweverManyStagesWereHit) {
  FaultSet set;
  set.arm(fault("lost",
                [](const WireEvent& event, const FaultState&, Rng&) -> WireAction {
                  const auto* reached = std::get_if<CallReached>(&event);
                  if (!reached) return Forward{};
                  if (reached->stage == Stage::headers) return WithholdResponse{};
                  return reached->stage == Stage::response_end ? WireAction{EndCall{}} : Forward{};
                }),
          start);
  const auto facts = call(1);
  EXPECT_EQ(said(ask(set, facts)), "withhold_response");
  EXPECT_EQ(said(ask(set, facts, Stage::request_end)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::response_end)), "end_call");
  EXPECT_EQ(set.tally({"lost"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(FaultSetTest, CountsATerminalAnswerBehindADelayOnlyWhenItIsCarriedOut) {
  FaultSet set;
  set.arm(fault("slow", at(Stage::headers, Delay{400ms}), {}, 0), {});
  set.arm(fault("cut", at(Stage::headers, ResetStream{}), {}, 1), {});
  const auto facts = call(1);
  EXPECT_EQ(said(ask(set, facts)), "reset_stream");
  EXPECT_EQ(set.tally({"slow"}), (FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_EQ(set.tally({"cut"}), (FaultTally{.eligible = 1, .hits = 0})) << "its caller may cancel it before";
  set.carried_out({"cut"}, facts.connection, 1);
  set.carried_out({"cut"}, facts.connection, 1);
  EXPECT_EQ(set.tally({"cut"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(FaultSetTest, ACloseThatComesLaterKeepsNobodyFromActingNow) {
  FaultSet set;
  set.arm(fault("close", on<ConnectionOffered>(CloseConnection{.after = 1h}), {}, 0), {});
  set.arm(fault("close-sooner", on<ConnectionOffered>(CloseConnection{.after = 1s}), {}, 1), {});
  set.arm(fault("hang", on<ConnectionOffered>(Mute{}), {}, 2), {});
  const auto ruling = set.offered({1});
  EXPECT_EQ(said(ruling), "mute");
  ASSERT_EQ(ruling.later.size(), 2u);
  EXPECT_EQ(ruling.later[0].by, FaultId{"close"});
  EXPECT_EQ(ruling.later[1].by, FaultId{"close-sooner"});
  EXPECT_EQ(set.tally({"close"}).hits, 0u);
}

TEST(FaultSetTest, CountsAStoppedListenerAsOneHit) {
  FaultSet set;
  const WireAction answer =
      set.arm(fault("refused", on<Armed>(StopListening{}), {}, 0, Scope::listener), start);
  EXPECT_EQ(name_of(answer), "stop_listening");
  set.found({"refused"}, first);
  set.bytes(first, Direction::request, 1);
  EXPECT_EQ(set.tally({"refused"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(FaultSetTest, KeepsTheTallyOfAClearedFaultAndAsksItNoMore) {
  FaultSet set;
  set.arm(fault("slow", on<BytesReady>(Delay{1ms})), start);
  set.bytes(first, Direction::request, 10);
  EXPECT_EQ(name_of(set.clear({"slow"}, start + 1s)), "forward");
  EXPECT_FALSE(set.armed({"slow"}));
  EXPECT_EQ(set.bytes(first, Direction::response, 10).delay, 0ms);
  EXPECT_EQ(set.tally({"slow"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(FaultSetTest, AnswersForClearedWithWhatTheFaultSays) {
  FaultSet set;
  set.arm(fault("close", on<Cleared>(CloseConnection{})), start);
  EXPECT_EQ(name_of(set.clear({"close"}, start)), "close_connection");
}

TEST(FaultSetTest, SaysNothingIsKnownOfAFaultThatWasNeverArmed) {
  EXPECT_EQ(FaultSet().tally({"nobody"}), FaultTally{});
}

struct ConnectionsCase {
  std::string name;
  Connections wanted;
  bool hits_existing;
  bool hits_new;
};
class ConnectionsTest : public ::testing::TestWithParam<ConnectionsCase> {};

TEST_P(ConnectionsTest, SelectsByWhetherTheConnectionWasOpenWhenTheFaultWasArmed) {
  const auto& c = GetParam();
  FaultSet set;
  const Decide reset = [](const WireEvent& event, const FaultState&, Rng&) -> WireAction {
    const bool about_connection =
        std::holds_alternative<ConnectionFound>(event) || std::holds_alternative<ConnectionOffered>(event);
    return about_connection ? WireAction{ResetConnection{}} : Delay{1ms};
  };
  set.arm(fault("f", reset, {.connections = c.wanted}, 0, Scope::connections), start);
  EXPECT_EQ(name_of(set.found({"f"}, first)), c.hits_existing ? "reset_connection" : "forward");
  EXPECT_EQ(said(set.offered(second)), c.hits_new ? "reset_connection" : "forward");
  EXPECT_EQ(set.bytes(first, Direction::response, 9).delay, c.hits_existing ? 1ms : 0ms);
  EXPECT_EQ(set.bytes(second, Direction::response, 9).delay, c.hits_new ? 1ms : 0ms);
  const uint64_t connections = (c.hits_existing ? 1u : 0u) + (c.hits_new ? 1u : 0u);
  EXPECT_EQ(set.tally({"f"}), (FaultTally{.eligible = connections, .hits = 2 * connections}));
}

INSTANTIATE_TEST_SUITE_P(All, ConnectionsTest,
                         ::testing::Values(ConnectionsCase{"existing", Connections::existing, true, false},
                                           ConnectionsCase{"fresh", Connections::fresh, false, true},
                                           ConnectionsCase{"all", Connections::all, true, true}),
                         [](const auto& tested) { return tested.param.name; });

TEST(FaultSetTest, AsksOnlyAboutTheDirectionThatIsMatched) {
  FaultSet set;
  set.arm(fault("f", on<BytesReady>(Hold{}), {.direction = Direction::response}), start);
  EXPECT_EQ(said(set.bytes(first, Direction::request, 1)), "forward");
  EXPECT_EQ(said(set.bytes(first, Direction::response, 1)), "hold");
  EXPECT_EQ(set.tally({"f"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(FaultSetTest, NeverAsksATransportFaultAboutCallsNorACallFaultAboutBytes) {
  const Decide always = [](const WireEvent&, const FaultState&, Rng&) { return WireAction{Delay{1ms}}; };
  FaultSet set;
  set.arm(fault("bytes", always, {}, 0, Scope::connections), start);
  set.arm(fault("calls", always, {}, 1, Scope::calls), start);
  const auto facts = call(1);
  EXPECT_EQ(ask(set, facts).delayed_by, Ids{{"calls"}});
  EXPECT_EQ(set.bytes(first, Direction::request, 1).delayed_by, Ids{{"bytes"}});
  EXPECT_EQ(set.offered(second).delayed_by, Ids{{"bytes"}});
}

TEST(FaultSetTest, TellsAFaultHowOftenItWasAskedAndHit) {
  FaultSet set;
  std::vector<std::pair<uint64_t, uint64_t>> seen;
  set.arm(fault("f",
                [&](const WireEvent& event, const FaultState& state, Rng&) -> WireAction {
                  if (!std::holds_alternative<BytesReady>(event)) return Forward{};
                  seen.emplace_back(state.asked, state.hits);
                  EXPECT_EQ(state.armed_at, start + 3s);
                  return state.asked % 2 == 0 ? WireAction{Delay{1ms}} : Forward{};
                }),
          start + 3s);
  for (int i = 0; i < 4; ++i) set.bytes(first, Direction::request, 1);
  EXPECT_EQ(seen, (std::vector<std::pair<uint64_t, uint64_t>>{{0, 0}, {1, 1}, {2, 1}, {3, 2}}));
}

TEST(FaultSetTest, SeedsTheRngOfEachFaultByItsIdAndSeedAlone) {
  const auto draws = [](const std::string& id, uint64_t seed, bool with_other) {
    std::vector<uint64_t> drawn;
    FaultSet set;
    if (with_other) {
      set.arm(fault("other",
                    [](const WireEvent&, const FaultState&, Rng& rng) -> WireAction {
                      rng.next();
                      return Forward{};
                    }),
              start);
    }
    auto instance = fault(id, [&](const WireEvent& event, const FaultState&, Rng& rng) -> WireAction {
      if (std::holds_alternative<BytesReady>(event)) drawn.push_back(rng.next());
      return Forward{};
    });
    instance.seed = seed;
    set.arm(std::move(instance), start);
    set.bytes(first, Direction::request, 1);
    set.bytes(first, Direction::request, 1);
    return drawn;
  };
  EXPECT_EQ(draws("a", 42, false), draws("a", 42, true));
  EXPECT_NE(draws("a", 42, false), draws("b", 42, false));
  EXPECT_NE(draws("a", 42, false), draws("a", 43, false));
}

}  // namespace
}  // namespace breakwire::faults
