// Several faults in force on one edge: what they say together (docs/faults.md, "Faults that overlap").
#include <gtest/gtest.h>

#include "tests/faults/fakes.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

constexpr ConnectionId one{1};
const FaultTally no_hit{.eligible = 1, .hits = 0};
const FaultTally one_hit{.eligible = 1, .hits = 1};

/// Rewrites the field where it is there.
Decide rewriting(const std::string& name, const std::string& value) {
  return [=](const WireEvent& event, const FaultState&, Rng&) -> WireAction {
    const auto* reached = std::get_if<CallReached>(&event);
    if (!reached || !reached->fields || !value_of(*reached->fields, name)) return Forward{};
    return EditFields{.remove = {}, .set = {}, .rewrite = {{name, value}}};
  };
}
Decide setting(const std::string& name, const std::string& value) {
  return at(Stage::headers, EditFields{.remove = {}, .set = {{name, value}}, .rewrite = {}});
}
Ruling ask_with_fields(FaultSet& set, const CallFacts& facts) {
  return set.call({.stage = Stage::headers, .call = &facts, .message = 0, .fields = &facts.metadata});
}

TEST(OverlapTest, EffectsOfAllFaultsGoTogetherInTheOrderOfTheTimeline) {
  FaultSet set;
  set.arm(fault("last", on<BytesReady>(Corrupt{}), {}, 3), Instant{});
  set.arm(fault("first", on<BytesReady>(Pace{.bytes = 7, .gap = 1ms}), {}, 1), Instant{});
  set.arm(fault("between", on<BytesReady>(Delay{5ms}), {}, 2), Instant{});
  const Ruling ruling = set.bytes(one, Direction::request, 10);
  ASSERT_EQ(ruling.effects.size(), 2u);
  EXPECT_EQ(ruling.effects[0].by, FaultId{"first"});
  EXPECT_EQ(ruling.effects[1].by, FaultId{"last"});
  EXPECT_EQ(ruling.delay, 5ms);
  EXPECT_EQ(said(ruling), "forward");
}

TEST(OverlapTest, AnEffectBehindTheFaultThatDecidesIsNotAskedFor) {
  FaultSet set;
  set.arm(fault("pace", on<BytesReady>(Pace{.bytes = 1, .gap = 1ms}), {}, 2), Instant{});
  set.arm(fault("stall", on<BytesReady>(Hold{}), {}, 1), Instant{});
  const Ruling ruling = set.bytes(one, Direction::request, 10);
  EXPECT_EQ(ruling.by, FaultId{"stall"});
  EXPECT_TRUE(ruling.effects.empty());
  EXPECT_EQ(set.tally({"pace"}), no_hit);
  set.clear({"stall"}, Instant{});
  EXPECT_EQ(set.bytes(one, Direction::request, 10).effects.size(), 1u) << "now it is";
}

TEST(OverlapTest, AnEditIsAskedAboutTheFieldsAsTheOneBeforeItLeavesThem) {
  FaultSet set;
  set.arm(fault("set", setting("x-tenant", "other"), {}, 0), Instant{});
  set.arm(fault("rewrite", rewriting("x-tenant", "third"), {}, 1), Instant{});
  const auto facts = call(1);  // which has no x-tenant
  const Ruling ruling = ask_with_fields(set, facts);
  ASSERT_EQ(ruling.effects.size(), 2u);
  EXPECT_EQ(ruling.effects[1].by, FaultId{"rewrite"});
  EXPECT_EQ(facts.metadata, Metadata{}) << "the call stays what its caller sent";
}

TEST(OverlapTest, AnEditOfWhatTheOneBeforeItTookAwayIsNone) {
  FaultSet set;
  const EditFields removal{.remove = {"x-tenant"}, .set = {}, .rewrite = {}};
  set.arm(fault("remove", at(Stage::headers, removal), {}, 0), Instant{});
  set.arm(fault("rewrite", rewriting("x-tenant", "third"), {}, 1), Instant{});
  const auto facts = call(1, {.metadata = {{"x-tenant", "own"}}});
  EXPECT_EQ(ask_with_fields(set, facts).effects.size(), 1u);
}

TEST(OverlapTest, AnEffectOnACallIsAHitWhenItIsCarriedOut) {
  FaultSet set;
  set.arm(fault("edit", setting("x", "1"), {}, 0), Instant{});
  set.arm(fault("status", at(Stage::headers, EndCall{}), {}, 1), Instant{});
  const auto facts = call(1);
  EXPECT_EQ(said(ask_with_fields(set, facts)), "end_call");
  EXPECT_EQ(set.tally({"edit"}), no_hit) << "there is no frame to be edited any more";
  EXPECT_EQ(set.tally({"status"}), one_hit);
  set.carried_out({"edit"}, one, 1);
  EXPECT_EQ(set.tally({"edit"}), one_hit);
}

TEST(OverlapTest, APathWithoutPacketsKeepsNobodyFromActing) {
  FaultSet set;
  set.arm(fault("blackhole", on<ConnectionOffered>(Isolate{}), {}, 0), Instant{});
  set.arm(fault("half_open", on<ConnectionOffered>(Isolate{.response = false}), {}, 1), Instant{});
  set.arm(fault("reset", on<ConnectionOffered>(ResetConnection{}), {}, 2), Instant{});
  const Ruling ruling = set.offered(one);
  ASSERT_EQ(ruling.effects.size(), 2u);
  EXPECT_EQ(ruling.effects[1].by, FaultId{"half_open"});
  EXPECT_EQ(said(ruling), "reset_connection");
}

TEST(OverlapTest, ADeafListenerIsAHitOnceSomebodyWasNotHeard) {
  FaultSet set;
  EXPECT_EQ(name_of(set.arm(fault("blackhole", on<Armed>(Isolate{})), Instant{})), "isolate");
  EXPECT_EQ(set.tally({"blackhole"}), FaultTally{});
  set.carried_out({"blackhole"});
  set.carried_out({"blackhole"});
  EXPECT_EQ(set.tally({"blackhole"}), one_hit);
}

TEST(OverlapTest, EditsOfSettingsKnowTheirPlaceInTheTimeline) {
  FaultSet set;
  set.arm(fault("later", on<ConnectionFound>(EditSettings{.values = {{3, 1}}}), {}, 7), Instant{});
  EXPECT_EQ(std::get<EditSettings>(set.found({"later"}, one)).order, 7u);
}

}  // namespace
}  // namespace breakwire::faults
