// What faults on control frames are made of, on its own: withheld increments, announcements, waiting frames.
#include <gtest/gtest.h>

#include "faults/http2/control_queue.h"
#include "faults/http2/flow.h"
#include "faults/http2/settings.h"

namespace breakwire::http2 {
namespace {

using faults::ControlFrame;
using Settings = std::vector<Setting>;

constexpr SettingId table = SettingId::header_table_size;
constexpr SettingId streams = SettingId::max_concurrent_streams;
constexpr SettingId window = SettingId::initial_window_size;

TEST(FlowLedgerTest, WhatIsWithheldIsNotDueAndWhatTheRelayOwesIs) {
  FlowLedger ledger(1000);
  ledger.received(300);
  ledger.buffer(300);
  ledger.forwarded(300);
  ledger.opened(300);
  EXPECT_EQ(ledger.credit_due(), 300);
  ledger.withhold(300);
  EXPECT_EQ(ledger.credit_due(), 0);
  ledger.received(40);  // swallowed
  EXPECT_EQ(ledger.credit_due(), 40);
  ledger.credited(40);
  ledger.withhold(-300);
  EXPECT_EQ(ledger.credit_due(), 300);
}

TEST(FlowLedgerTest, AnotherInitialWindowThanTheReceiversIsNeitherDueNorRepaid) {
  for (const int64_t told : {100, 4000}) {
    FlowLedger ledger(told, 1000);
    EXPECT_EQ(ledger.credit_due(), 0);
    ledger.received(100);
    ledger.buffer(100);
    ledger.forwarded(100);
    ledger.opened(100);
    EXPECT_EQ(ledger.credit_due(), 100) << "increments pass as they are";
    ledger.credited(100);
    ledger.shifted(1000 - told, 0);
    EXPECT_EQ(ledger.granted(), ledger.room());
    EXPECT_EQ(ledger.credit_due(), 0);
    ledger.shifted(500, 700);
    EXPECT_EQ(ledger.credit_due(), 0);
    EXPECT_EQ(ledger.room(), 1700);
    EXPECT_EQ(ledger.granted(), 1500);
  }
}

TEST(FlowLedgerTest, ASmallerWindowThanTheReceiversIsOpenedForWhatWasForwardedWhileThereIsRoom) {
  FlowLedger ledger(10, 25);
  EXPECT_TRUE(ledger.narrowed());
  const auto pass = [&](int64_t n) {
    ledger.received(n);
    ledger.buffer(n);
    EXPECT_EQ(ledger.credit_due(), 0) << "not before it has left";
    ledger.forwarded(n);
    const int64_t due = ledger.credit_due();
    ledger.credited(due);
    return due;
  };
  EXPECT_EQ(pass(10), 10);
  EXPECT_EQ(pass(10), 5) << "no more than there is room for";
  EXPECT_EQ(pass(5), 0);
  ledger.opened(8);
  EXPECT_EQ(ledger.credit_due(), 8);
  ledger.credited(8);
  ledger.opened(17);
  EXPECT_EQ(ledger.credit_due(), 2);
  ledger.credited(2);
  EXPECT_EQ(ledger.granted(), 10);
  EXPECT_EQ(ledger.room(), 25);
}

TEST(AnnouncementTest, PassesWhatNoFaultEdits) {
  Announcement announcement;
  const Settings genuine{{window, 5}, {SettingId{0xfe03}, 1}, {window, 7}};
  EXPECT_EQ(announcement.rewritten(genuine), genuine);
  EXPECT_EQ(announcement.cleared({"f"}), Settings{});
}

TEST(AnnouncementTest, ReplacesAndAddsOnceAndRestoresTheLastGenuineValue) {
  Announcement announcement;
  announcement.edit({"f"}, {{3, 1}, {4, 10}});
  EXPECT_EQ(announcement.rewritten({{window, 500}}), (Settings{{window, 10}, {streams, 1}}));
  EXPECT_EQ(announcement.untold(), Settings{});
  EXPECT_EQ(announcement.rewritten({{streams, 100}}), (Settings{{streams, 1}}));
  EXPECT_EQ(announcement.rewritten({{window, 600}}), (Settings{{window, 10}}));
  EXPECT_EQ(announcement.cleared({"f"}), (Settings{{streams, 100}, {window, 600}}));
  EXPECT_EQ(announcement.rewritten({{window, 700}}), (Settings{{window, 700}}));
}

TEST(AnnouncementTest, RestoresTheInitialValueOfWhatWasNeverAnnounced) {
  Announcement announcement;
  announcement.edit({"f"}, {{1, 0}, {3, 1}, {4, 0}, {5, 20'000}, {6, 1}, {0x77, 1}});
  announcement.untold();
  EXPECT_EQ(announcement.cleared({"f"}), (Settings{{table, 4096},
                                                   {streams, 0x7fffffff},
                                                   {window, 65'535},
                                                   {SettingId::max_frame_size, 16'384},
                                                   {SettingId::max_header_list_size, 0xffffffff}}));
}

TEST(AnnouncementTest, WhatWasNeverToldNeedsNoTakingBack) {
  Announcement announcement;
  announcement.edit({"f"}, {{3, 1}});
  EXPECT_EQ(announcement.cleared({"f"}), Settings{});
}

TEST(AnnouncementTest, OfTwoFaultsTheLaterWinsUntilItIsCleared) {
  Announcement announcement;
  announcement.rewritten({{streams, 100}});
  announcement.edit({"a"}, {{3, 5}});
  EXPECT_EQ(announcement.untold(), (Settings{{streams, 5}}));
  announcement.edit({"b"}, {{3, 1}});
  EXPECT_EQ(announcement.untold(), (Settings{{streams, 1}}));
  announcement.edit({"a"}, {{3, 5}});  // asked about again
  EXPECT_EQ(announcement.untold(), Settings{});
  EXPECT_EQ(announcement.cleared({"b"}), (Settings{{streams, 5}}));
  announcement.edit({"b"}, {{3, 1}});
  announcement.untold();
  EXPECT_EQ(announcement.cleared({"a"}), Settings{});
  EXPECT_EQ(announcement.cleared({"b"}), (Settings{{streams, 100}}));
}

TEST(AnnouncementTest, ATableIsOnlyMadeSmaller) {
  Announcement announcement;
  announcement.edit({"f"}, {{1, 1000}});
  EXPECT_EQ(announcement.rewritten({{table, 100}}), (Settings{{table, 100}}));
  EXPECT_EQ(announcement.rewritten({{table, 0}, {table, 4096}}), (Settings{{table, 0}, {table, 1000}}));
}

WaitingFrame frame(ControlFrame kind, uint8_t number, Instant due = {}, std::string held_by = {}) {
  WaitingFrame made;
  made.kind = kind;
  made.header.flags = number;
  made.due = due;
  made.held_by = {std::move(held_by)};
  return made;
}
/// The numbers of the frames that may leave, in order.
std::string leaving(ControlQueue& queue, Instant now = {}) {
  std::string all;
  while (const auto next = queue.next(now)) all += std::to_string(next->header.flags) + " ";
  return all;
}

TEST(ControlQueueTest, KeepsTheOrderOfAKindAndLetsOthersPass) {
  ControlQueue queue;
  queue.push(frame(ControlFrame::ping, 1, {}, "f"));
  queue.push(frame(ControlFrame::ping, 2));
  queue.push(frame(ControlFrame::goaway, 3));
  EXPECT_TRUE(queue.waits(ControlFrame::ping));
  EXPECT_FALSE(queue.waits(ControlFrame::ping_ack));
  EXPECT_EQ(leaving(queue), "3 ");
  queue.withdraw({"other"});
  EXPECT_EQ(leaving(queue), "");
  EXPECT_FALSE(queue.next_due());
  queue.withdraw({"f"});
  EXPECT_EQ(leaving(queue), "1 2 ");
}

TEST(ControlQueueTest, KnowsWhenTheNextIsDue) {
  ControlQueue queue;
  const Instant start{};
  queue.push(frame(ControlFrame::ping, 1, start + 9ms));
  queue.push(frame(ControlFrame::ping, 2, start + 1ms));  // not before the first
  EXPECT_EQ(queue.next_due(), start + 9ms);
  queue.push(frame(ControlFrame::settings, 3, start + 5ms));
  queue.push(frame(ControlFrame::goaway, 4, start + 2ms, "f"));
  EXPECT_EQ(queue.next_due(), start + 5ms);
  EXPECT_EQ(leaving(queue, start + 8ms), "3 ");
  EXPECT_EQ(leaving(queue, start + 9ms), "1 2 ");
  EXPECT_FALSE(queue.next_due());
}

TEST(ControlQueueTest, AClearedFaultTakesItsDelayWithIt) {
  ControlQueue queue;
  const Instant start{};
  auto slow = frame(ControlFrame::ping, 1, start + 30ms);
  slow.delays = {{{"a"}, 10ms}, {{"b"}, 20ms}};
  queue.push(slow);
  queue.withdraw({"b"});
  EXPECT_EQ(queue.next_due(), start + 10ms);
}

TEST(ControlQueueTest, SumsWhatAFaultFreezesByStream) {
  ControlQueue queue;
  queue.freeze(0, {"f"}, 10);
  queue.freeze(0, {"f"}, 5);
  queue.freeze(3, {"f"}, 7);
  queue.freeze(3, {"g"}, 1);
  queue.freeze(5, {"f"}, 9);
  queue.forget(5);
  EXPECT_EQ(queue.withdraw({"f"}), (std::vector<std::pair<StreamId, int64_t>>{{0, 15}, {3, 7}}));
  EXPECT_EQ(queue.withdraw({"g"}), (std::vector<std::pair<StreamId, int64_t>>{{3, 1}}));
  EXPECT_EQ(queue.withdraw({"f"}).size(), 0u);
}

}  // namespace
}  // namespace breakwire::http2
