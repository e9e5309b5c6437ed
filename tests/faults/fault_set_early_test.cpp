// Messages that have only begun: what faults are asked about them, and what that leaves behind.
#include <gtest/gtest.h>

#include "tests/faults/fakes.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

Ruling ask_early(FaultSet& set, const CallFacts& facts, uint64_t message = 0) {
  return set.call({.stage = Stage::request_message,
                   .call = &facts,
                   .message = message,
                   .fields = nullptr,
                   .early = true});
}

TEST(EarlyMessageTest, OnlyACutIsHeededAndWithItTheDelaysBeforeIt) {
  FaultSet set;
  set.arm(fault("slow", at(Stage::request_message, Delay{1ms}), {}, 0), Instant{});
  set.arm(fault("cut", at(Stage::request_message, CutMessage{7}), {.message = 1}, 1), Instant{});
  const auto facts = call(1);
  const Ruling whole = ask_early(set, facts, 0);
  EXPECT_EQ(said(whole), "forward");
  EXPECT_EQ(whole.delay, 0ms) << "that comes when its last byte is there";
  EXPECT_EQ(set.tally({"slow"}), (FaultTally{.eligible = 1, .hits = 0}));
  const Ruling cut = ask_early(set, facts, 1);
  EXPECT_EQ(std::get<CutMessage>(cut.action).bytes, 7u);
  EXPECT_EQ(cut.by, FaultId{"cut"});
  EXPECT_EQ(cut.delay, 1ms);
  EXPECT_EQ(cut.delayed_by, (std::vector<FaultId>{{"slow"}}));
  EXPECT_EQ(set.tally({"slow"}), (FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_EQ(set.tally({"cut"}), (FaultTally{.eligible = 1, .hits = 0}));
  set.carried_out({"cut"}, facts.connection, facts.stream);
  EXPECT_EQ(set.tally({"cut"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(EarlyMessageTest, AnEarlierFaultThatWillActOnTheWholeMessageComesFirst) {
  FaultSet set;
  set.arm(fault("hang", at(Stage::request_message, Hold{}), {}, 0), Instant{});
  set.arm(fault("cut", at(Stage::request_message, CutMessage{7}), {}, 1), Instant{});
  const auto facts = call(1);
  EXPECT_EQ(said(ask_early(set, facts)), "forward");
  EXPECT_EQ(set.tally({"hang"}), (FaultTally{.eligible = 1, .hits = 0}));
  EXPECT_EQ(said(ask(set, facts, Stage::request_message)), "hold");
}

TEST(EarlyMessageTest, DrawsNothingFromTheFaultsRng) {
  const auto drawn = [](bool early) {
    std::vector<uint64_t> numbers;
    FaultSet set;
    set.arm(fault("f",
                  [&](const WireEvent& event, const FaultState&, Rng& rng) -> WireAction {
                    const auto* reached = std::get_if<CallReached>(&event);
                    if (!reached) return Forward{};
                    const uint64_t number = rng.next();
                    if (!reached->early) numbers.push_back(number);
                    return Delay{1ms};
                  }),
            Instant{});
    const auto facts = call(1);
    if (early) ask_early(set, facts);
    ask(set, facts, Stage::request_message);
    return numbers;
  };
  EXPECT_EQ(drawn(true), drawn(false));
}

}  // namespace
}  // namespace breakwire::faults
