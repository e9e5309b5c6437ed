// W3C trace context: what is passed on, and what never is.

#include <gtest/gtest.h>

#include "services/kit/trace.h"

namespace breakwire::kit {
namespace {

const std::string trace = "0af7651916cd43dd8448eb211c80319c";
const std::string span = "b7ad6b7169203331";
const std::string good = "00-" + trace + "-" + span + "-01";

TEST(TraceTest, AChildKeepsTheTraceAndNamesItsParent) {
  auto call = span_of_call({{"traceparent", good}, {"tracestate", "vendor=x"}});
  EXPECT_EQ(call.trace_id, trace);
  EXPECT_EQ(call.parent_id, span);
  EXPECT_NE(call.span_id, span);
  EXPECT_EQ(call.tracestate, "vendor=x");
  EXPECT_EQ(call.traceparent(), "00-" + trace + "-" + call.span_id + "-01");
  EXPECT_EQ(child_of(call).parent_id, call.span_id);
}

TEST(TraceTest, KeepsNotSampled) {
  auto call = span_of_call({{"traceparent", "00-" + trace + "-" + span + "-00"}});
  EXPECT_TRUE(call.traceparent().ends_with("-00"));
}

TEST(TraceTest, ReadsALaterVersionByItsFirst55Characters) {
  EXPECT_EQ(parse_traceparent("cc-" + trace + "-" + span + "-01-what-comes")->trace_id, trace);
  EXPECT_EQ(parse_traceparent("cc-" + trace + "-" + span + "-01.what"), std::nullopt);
}

TEST(TraceTest, AMalformedParentStartsANewTrace) {
  const std::string wrong[] = {"",
                               good.substr(0, 54),
                               good + "0",
                               "00-" + std::string(32, '0') + "-" + span + "-01",
                               "00-" + trace + "-" + std::string(16, '0') + "-01",
                               "ff-" + trace + "-" + span + "-01",
                               "00-" + std::string(32, 'A') + "-" + span + "-01",
                               "00-" + trace + "-" + span + "-0x",
                               "00_" + trace + "-" + span + "-01",
                               std::string(8192, 'a')};
  for (const auto& value : wrong) {
    auto call = span_of_call({{"traceparent", value}, {"tracestate", "vendor=x"}});
    EXPECT_TRUE(parse_traceparent(call.traceparent())) << value;
    EXPECT_NE(call.trace_id, trace) << value;
    EXPECT_EQ(call.parent_id, "") << value;
    EXPECT_EQ(call.tracestate, "") << value;
  }
}

TEST(TraceTest, TwoParentsAreNone) {
  auto call = span_of_call({{"traceparent", good}, {"traceparent", good}});
  EXPECT_NE(call.trace_id, trace);
}

TEST(TraceTest, CallsWithoutAParentGetTracesOfTheirOwn) {
  EXPECT_NE(span_of_call({}).trace_id, span_of_call({}).trace_id);
}

}  // namespace
}  // namespace breakwire::kit
