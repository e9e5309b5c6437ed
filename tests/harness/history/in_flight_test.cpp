// A call is in flight from its HEADERS forwarded to its final frame forwarded back.
#include "harness/history/in_flight.h"

#include <gtest/gtest.h>

#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

using faults::Ending;
using faults::FrameKind;
const EdgeId edge{"storefront->orders"};
const ServiceId orders{"orders"};

InFlight after(const History& history) {
  InFlight counter(history.setup());
  for (const auto& event : history.events()) counter.feed(event.what);
  return counter;
}

TEST(InFlightTest, CountsFromForwardedHeadersToTheForwardedFinalFrame) {
  HistoryBuilder builder;
  builder.start(edge.text.c_str(), 1, 1).start(edge.text.c_str(), 1, 3, {.held = true});
  EXPECT_EQ(after(builder).on(edge), 1u) << "held HEADERS are unknown to the callee";
  builder.forwarded(edge.text.c_str(), 1, 3, FrameKind::call_started);
  EXPECT_EQ(after(builder).on(edge), 2u);
  builder.end(edge.text.c_str(), 1, 1);
  EXPECT_EQ(after(builder).on(edge), 1u);
  builder.end_as(edge.text.c_str(), 1, 3, Ending::trailers, {}, false);
  EXPECT_EQ(after(builder).on(edge), 1u) << "its trailers are still inside the relay";
  builder.forwarded(edge.text.c_str(), 1, 3, FrameKind::call_ended);
  EXPECT_EQ(after(builder).on(edge), 0u);
}

TEST(InFlightTest, EndsWhenTheCallerResetsOrTheConnectionIsLost) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1)
      .start("storefront->orders", 1, 3)
      .start("storefront->orders", 2, 1);
  builder.end_as("storefront->orders", 1, 1, Ending::reset_by_downstream, Http2Error::cancel, false);
  EXPECT_EQ(after(builder).on(edge), 2u);
  builder.close("storefront->orders", 1, faults::Peer::upstream);
  EXPECT_EQ(after(builder).on(edge), 1u) << "only the call on connection 2 is left";
  builder.forwarded("storefront->orders", 1, 3, FrameKind::call_ended);
  EXPECT_EQ(after(builder).on(edge), 1u) << "a call ends once";
}

TEST(InFlightTest, EndsWhenTheCallerGivesUpAnAnswerThatIsStillInsideTheRelay) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1);
  builder.end_as("storefront->orders", 1, 1, Ending::trailers, {}, false);
  EXPECT_EQ(after(builder).on(edge), 1u);
  builder.give_up("storefront->orders", 1, 1);
  EXPECT_EQ(after(builder).on(edge), 0u);
}

TEST(InFlightTest, LeavesOutHealthReflectionAndControlEdges) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1, {.method = "grpc.health.v1.Health/Watch"});
  builder.start("storefront->orders", 1, 3,
                {.method = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"});
  builder.start("breakwire->orders", 2, 1, {.method = "shop.v1.OrdersService/Place"});
  EXPECT_EQ(after(builder).at(orders), 0u);
}

TEST(InFlightTest, AnswersForAServiceOverItsInboundEdgesAndByMethod) {
  history::Setup setup = HistoryBuilder::shop();
  setup.edges.push_back({.id = {"admin->orders"}, .from = {"admin"}, .to = orders, .correlate = {}});
  HistoryBuilder builder(setup);
  builder.start("storefront->orders", 1, 1, {.method = "shop.v1.OrdersService/Place"});
  builder.start("admin->orders", 2, 1, {.method = "shop.v1.OrdersService/List"});
  builder.start("orders->inventory", 3, 1, {.method = "shop.v1.InventoryService/Reserve"});
  const InFlight counter = after(builder);
  EXPECT_EQ(counter.at(orders), 2u);
  EXPECT_EQ(counter.at(orders, "*/List"), 1u);
  EXPECT_EQ(counter.on(edge, "shop.v1.*"), 1u);
  EXPECT_EQ(counter.on(edge, "*/List"), 0u);
  EXPECT_EQ(counter.at_place("orders"), 2u);
  EXPECT_EQ(counter.at_place("storefront->orders"), 1u);
}

}  // namespace
}  // namespace breakwire::history
