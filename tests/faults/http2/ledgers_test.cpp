// The bookkeeping on its own: flow control, stream ids, SETTINGS, the order of observations.
#include <gtest/gtest.h>

#include "faults/http2/flow.h"
#include "faults/http2/observation_log.h"
#include "faults/http2/settings.h"
#include "faults/http2/stream_ids.h"
#include "tests/faults/http2/bytes.h"

namespace breakwire::http2::testing {
namespace {

TEST(FlowLedgerTest, UndisturbedEveryIncrementIsTheSenders) {
  FlowLedger ledger(1000);
  ledger.received(300);
  ledger.buffer(300);
  EXPECT_EQ(ledger.credit_due(), 0);
  ledger.forwarded(300);
  EXPECT_EQ(ledger.credit_due(), 0);
  ledger.opened(250);
  EXPECT_EQ(ledger.credit_due(), 250);
  ledger.credited(250);
  EXPECT_EQ(ledger.granted(), 950);
  EXPECT_EQ(ledger.room(), 950);
}

TEST(FlowLedgerTest, SwallowedDataIsDueAtOnce) {
  FlowLedger ledger(1000);
  ledger.received(300);
  EXPECT_EQ(ledger.credit_due(), 300);
  ledger.credited(300);
  EXPECT_EQ(ledger.granted(), ledger.room());
}

TEST(FlowLedgerTest, AnAdvanceForHeldDataIsRepaidBeforeAnyIncrementIsForwarded) {
  FlowLedger ledger(1000);
  ledger.received(300);
  ledger.buffer(300);
  EXPECT_EQ(ledger.credit_due(300), 300);
  ledger.credited(300);
  ledger.opened(0);
  // While it is held the others' increments pass.
  ledger.received(100);
  ledger.buffer(100);
  ledger.forwarded(100);
  ledger.opened(100);
  EXPECT_EQ(ledger.credit_due(300), 100);
  ledger.credited(100);
  // Released, its own do not.
  ledger.forwarded(300);
  EXPECT_EQ(ledger.credit_due(), 0);
  ledger.opened(200);
  EXPECT_EQ(ledger.credit_due(), 0);
  ledger.opened(150);
  EXPECT_EQ(ledger.credit_due(), 50);
}

TEST(FlowLedgerTest, HeldDataThatIsDiscardedNeedsNoSecondCredit) {
  FlowLedger ledger(1000);
  ledger.received(300);
  ledger.buffer(300);
  ledger.credited(200);  // the bound allowed no more
  ledger.discarded(300);
  EXPECT_EQ(ledger.credit_due(), 100);
}

TEST(FlowLedgerTest, IncrementsForInjectedDataAreNotForwarded) {
  FlowLedger ledger(1000);
  ledger.injected(300);
  EXPECT_EQ(ledger.room(), 700);
  ledger.opened(300);
  EXPECT_EQ(ledger.credit_due(), 0);
  ledger.opened(10);
  EXPECT_EQ(ledger.credit_due(), 10);
}

TEST(FlowLedgerTest, ASmallerInitialWindowMayMakeBothSidesNegative) {
  FlowLedger ledger(1000);
  ledger.received(900);
  ledger.buffer(900);
  ledger.forwarded(900);
  ledger.shifted(-500, -500);
  EXPECT_EQ(ledger.room(), -400);
  EXPECT_EQ(ledger.credit_due(), 0);
}

TEST(StreamIdsTest, AreTheSameUntilAnOrderDiverges) {
  StreamIds ids;
  EXPECT_EQ(ids.open(1), 1u);
  EXPECT_EQ(ids.open(5), 5u);  // 3 is held
  EXPECT_EQ(ids.open(3), 7u);
  EXPECT_EQ(ids.open(7), 9u);
  EXPECT_EQ(ids.open(21), 21u);
}

TEST(StreamIdsTest, RunOut) {
  StreamIds ids;
  EXPECT_EQ(ids.open(max_stream_id), max_stream_id);
  EXPECT_EQ(ids.open(3), std::nullopt);
}

TEST(StreamIdsTest, GoawayIsTranslatedToTheHighestProcessedStream) {
  StreamIds ids;
  EXPECT_EQ(ids.translate_last(0), 0u);
  ids.open(1);
  ids.open(5);
  EXPECT_EQ(ids.translate_last(1), 1u);
  EXPECT_EQ(ids.translate_last(1000), 1000u);  // the ids are alike, those to come too
  ids.open(3);                                 // 7
  ids.open(7);                                 // 9
  EXPECT_EQ(ids.translate_last(0), 0u);
  EXPECT_EQ(ids.translate_last(1), 1u);
  EXPECT_EQ(ids.translate_last(5), 5u);
  EXPECT_EQ(ids.translate_last(7), 5u);  // 5 -> 5 and 3 -> 7: above 5 nothing was processed
  EXPECT_EQ(ids.translate_last(9), 7u);
  EXPECT_EQ(ids.translate_last(1000), 7u);
  ids.answered(11);
  EXPECT_EQ(ids.translate_last(7), 11u);
}

TEST(StreamIdsTest, ForgottenStreamsCountAsProcessed) {
  StreamIds ids;
  ids.open(3);
  ids.open(1);  // 5
  for (StreamId down = 5; down < 20'005; down += 2) ids.open(down);
  EXPECT_EQ(ids.translate_last(20'005), 20'003u);
  ids.finished(20'001);
  EXPECT_EQ(ids.translate_last(20'005), 20'003u);
  EXPECT_GE(ids.translate_last(7), 5u);
}

TEST(SettingsTest, AreReadAndWritten) {
  const std::string payload = hex("0001 00001000 fe03 00000001 0003 ffffffff");
  const std::vector<Setting> settings = parse_settings(bytes_of(payload));
  EXPECT_EQ(settings, (std::vector<Setting>{{SettingId::header_table_size, 4096},
                                            {SettingId{0xfe03}, 1},
                                            {SettingId::max_concurrent_streams, 0xffffffff}}));
  EXPECT_EQ(serialise(settings), payload);
}

TEST(SettingsTest, ForbiddenValuesAreNamed) {
  EXPECT_TRUE(forbidden({SettingId::enable_push, 2}));
  EXPECT_TRUE(forbidden({SettingId::initial_window_size, 0x80000000}));
  EXPECT_TRUE(forbidden({SettingId::max_frame_size, 16'383}));
  EXPECT_TRUE(forbidden({SettingId::max_frame_size, 0x1000000}));
  EXPECT_FALSE(forbidden({SettingId::max_frame_size, 0xffffff}));
  EXPECT_FALSE(forbidden({SettingId::max_concurrent_streams, 0}));
}

TEST(SettingsTest, AcknowledgementsComeInOrderWithTheirOrigin) {
  SettingsQueue queue;
  EXPECT_FALSE(queue.acknowledged());
  queue.sent(SettingsQueue::Origin::peer, {{SettingId::max_frame_size, 20'000}});
  queue.sent(SettingsQueue::Origin::relay, {});
  EXPECT_EQ(queue.acknowledged()->settings.size(), 1u);
  EXPECT_EQ(queue.acknowledged()->origin, SettingsQueue::Origin::relay);
  EXPECT_FALSE(queue.acknowledged());
}

class ObservationLogTest : public ::testing::Test {
 protected:
  faults::CallStarted started(StreamId stream) {
    return faults::CallStarted{
        .edge = {"e"}, .connection = {1}, .stream = stream, .times = {.received = at(0)}};
  }
  faults::CallStarted started(StreamId stream, int forwarded) {
    return faults::CallStarted{.edge = {"e"},
                               .connection = {1},
                               .stream = stream,
                               .times = {.received = at(0), .forwarded = at(forwarded)}};
  }
  faults::PingSeen ping() { return faults::PingSeen{.edge = {"e"}, .connection = {1}}; }
  faults::Observation forwarded(StreamId stream, int when) {
    return faults::Forwarded{{"e"}, {1}, stream, faults::FrameKind::call_started, at(when)};
  }
  static Instant at(int ms) { return Instant{} + std::chrono::milliseconds(ms); }

  std::vector<faults::Observation> told;
  ObservationLog log{{"e"}, {1}, [this](faults::Observation&& one) { told.push_back(std::move(one)); }};
};

using Told = std::vector<faults::Observation>;

TEST_F(ObservationLogTest, AFrameWrittenInItsTurnIsToldOnceWithBothTimes) {
  const auto ticket = log.open(started(1));
  log.leaves(ticket, Side::upstream, 100, 1, faults::FrameKind::call_started);
  log.settle();
  log.written(Side::downstream, 1000, at(1));
  log.written(Side::upstream, 99, at(2));
  EXPECT_EQ(told, Told{});
  log.written(Side::upstream, 100, at(3));
  log.flush();
  EXPECT_EQ(told, (Told{started(1, 3)}));
}

TEST_F(ObservationLogTest, AFrameThatIsLateIsToldAtTheTurnsEndAndAgainWhenItLeft) {
  log.leaves(log.open(started(1)), Side::upstream, 100, 1, faults::FrameKind::call_started);
  log.add(ping());
  log.settle();
  EXPECT_EQ(told, Told{});  // what came after it does not overtake it
  log.flush();
  EXPECT_EQ(told, (Told{started(1), ping()}));
  log.written(Side::upstream, 100, at(9));
  EXPECT_EQ(told, (Told{started(1), ping(), forwarded(1, 9)}));
  log.written(Side::upstream, 200, at(10));
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(ObservationLogTest, AHeldFrameIsToldAtOnce) {
  const auto ticket = log.open(started(1));
  log.settle();
  EXPECT_EQ(told, (Told{started(1)}));
  log.leaves(ticket, Side::upstream, 50, 1, faults::FrameKind::call_started);
  log.written(Side::upstream, 50, at(7));
  EXPECT_EQ(told, (Told{started(1), forwarded(1, 7)}));
}

}  // namespace
}  // namespace breakwire::http2::testing
