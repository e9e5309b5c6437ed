// Several faults on one connection, as one of them ends or their edits meet: nothing that waits passes a
// fault that is still in force unasked, and HPACK's tables stay in step whoever changes their size.
#include <gtest/gtest.h>

#include "faults/http2/settings.h"
#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

std::vector<std::string> hits_of(Wire& wire) {
  std::vector<std::string> hits;
  for (const auto& hit : wire.seen<faults::FaultHit>()) hits.push_back(hit.fault.text + " " + hit.action);
  return hits;
}

/// At `stage`, what `say` answers.
std::function<faults::Ruling(const faults::CallReached&)> at_stage(Stage stage, faults::Ruling say) {
  return [=](const faults::CallReached& reached) { return reached.stage == stage ? say : faults::Ruling{}; };
}

TEST(OverlapTest, ACallThatWasHeldIsAnsweredByTheFaultBehindTheOneThatIsOver) {
  Wire wire;
  wire.begin();
  wire.host.rule = at_stage(Stage::headers, ruling(faults::Hold{}, "hang"));
  wire.client(Wire::request(1, true));
  EXPECT_EQ(wire.to_server(), "");
  wire.host.rule_again =
      at_stage(Stage::headers, ruling(faults::ResetStream{Http2Error::internal_error}, "reset"));
  wire.clear("hang");
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::internal_error));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(hits_of(wire), (std::vector<std::string>{"hang hold", "reset reset_stream"}));
}

TEST(OverlapTest, AMessageThatWasHeldIsAskedAboutByItsNumber) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::request_message && reached.message == 1 ? ruling(faults::Hold{}, "hang")
                                                                           : faults::Ruling{};
  };
  const std::string first = grpc_message("first"), second = grpc_message("second");
  wire.client(Wire::request(1) + Wire::data(1, first) + Wire::data(1, second));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, first));
  wire.host.rule_again = [](const faults::CallReached& reached) {
    return reached.message == 1 && !reached.early ? ruling(faults::CutMessage{6}, "cut") : faults::Ruling{};
  };
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::data(1, second.substr(0, 6)) + Wire::data(1, "", true));
}

TEST(OverlapTest, WhatNobodyElseKeepsPassesWhenItsFaultIsOver) {
  Wire wire;
  wire.begin();
  wire.host.rule = at_stage(Stage::headers, ruling(faults::Hold{}, "hang"));
  wire.client(Wire::request(1, true));
  const size_t asked = wire.host.asked;
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));
  EXPECT_EQ(wire.host.asked, asked + 2) << "about its headers again, and about its end";
}

TEST(OverlapTest, ADelayBeforeAnAnswerThatIsOverIsToldOnceAndNotBegunAnew) {
  Wire wire;
  wire.begin();
  faults::Ruling late = ruling(faults::EndCall{}, "status");
  late.delay = 100ms;
  late.delayed_by = {{"slow"}};
  late.delays = {100ms};
  wire.host.rule = at_stage(Stage::headers, late);
  wire.client(Wire::request(1, true));
  wire.now += 60ms;
  late.action = faults::Forward{};
  late.by = {};
  wire.host.rule_again = at_stage(Stage::headers, late);
  wire.clear("status");
  EXPECT_EQ(wire.to_server(), "");
  wire.now += 40ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));
  EXPECT_EQ(hits_of(wire), (std::vector<std::string>{"slow delay"}));
}

/// nghttp2's endpoints index, obey and check (RFC 7541 §4.2, RFC 9113 §4.3.1): both announce table sizes
/// while faults make the other side see smaller ones, in every order that the seed gives.
class TableSizesTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(TableSizesTest, StayInStepWhoeverChangesThem) {
  Rng rng(GetParam());
  const auto size = [&] { return static_cast<uint32_t>(rng.next() % 3 == 0 ? 0 : rng.next() % 5000); };
  World world({.client = {}, .server = {}, .limits = {}, .seed = GetParam()});
  world.echo();
  world.host.rule = [&](const faults::CallReached& reached) {
    const bool answered = reached.stage == Stage::headers && rng.next() % 16 == 0;
    return answered ? ruling(faults::EndCall{}, "status") : faults::Ruling{};
  };
  world.run();
  for (int step = 0; step < 60; ++step) {
    const FaultId fault{rng.next() % 2 ? "one" : "other"};
    switch (rng.next() % 5) {
      case 0:
        world.session.act(fault,
                          faults::EditSettings{.values = {{1, size()}}, .to_caller = rng.next() % 2 == 0},
                          world.now);
        world.deliver();
        break;
      case 1:
        world.session.fault_cleared(fault, world.now);
        world.deliver();
        break;
      case 2: {
        auto& announcer = rng.next() % 2 ? world.client : world.server;
        announcer.settings({{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, size()}});
        break;
      }
      default: {
        const std::string value = "value-" + std::to_string(rng.next() % 5);
        world.client.request(request_fields("s/M", {{"x-again", value}}), grpc_message("m"));
        break;
      }
    }
    if (rng.next() % 2) {
      world.run();
    } else {
      world.step(rng.next() % 2 ? Side::downstream : Side::upstream);
    }
  }
  world.run();
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.host.all<faults::ProtocolViolation>().size(), 0u);
  EXPECT_EQ(world.session.live_calls(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TableSizesTest, ::testing::Range<uint64_t>(1, 151));

}  // namespace
}  // namespace breakwire::http2::testing
