// The ids a call is stamped with, and what stands for them in requests.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "harness/load/expansion.h"
#include "harness/load/load.h"

namespace breakwire::load {
namespace {

TEST(IdsTest, AreTheSameOnEveryMachine) {
  const CallIds ids = ids_of(42, {"shoppers"}, 17);
  EXPECT_EQ(ids.call_id, "shoppers-17");
  EXPECT_EQ(ids.trace_id, "bca899a559ae136114aa1cdf64075c55");
  EXPECT_EQ(ids.span_id, "fd2cf3a2ebc699cb");
  EXPECT_EQ(ids.uuid, "abac59a5-2d57-4921-89f9-27995b419e21");
}

TEST(IdsTest, DifferByCallLoadAndSeed) {
  std::set<std::string> traces, uuids;
  for (uint64_t seed : {1, 2}) {
    for (const char* load : {"shoppers", "browsers"}) {
      for (uint64_t number = 1; number <= 1000; ++number) {
        const CallIds ids = ids_of(seed, {load}, number);
        traces.insert(ids.trace_id);
        uuids.insert(ids.uuid);
      }
    }
  }
  EXPECT_EQ(traces.size(), 4000U);
  EXPECT_EQ(uuids.size(), 4000U);
}

TEST(IdsTest, HaveTheFormsOfTheirSpecifications) {
  const std::regex trace("[0-9a-f]{32}"), span("[0-9a-f]{16}"),
      uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (uint64_t number = 1; number <= 500; ++number) {
    const CallIds ids = ids_of(7, {"l"}, number);
    EXPECT_TRUE(std::regex_match(ids.trace_id, trace)) << ids.trace_id;
    EXPECT_TRUE(std::regex_match(ids.span_id, span)) << ids.span_id;
    EXPECT_TRUE(std::regex_match(ids.uuid, uuid)) << ids.uuid;
  }
}

const CallIds ids{.call_id = "l-3", .trace_id = "t", .span_id = "s", .uuid = "u-u"};

TEST(ExpansionTest, FillsInWhatItKnowsAndLeavesTheRest) {
  EXPECT_EQ(expand("a ${uuid} b ${call}${call}", ids), "a u-u b l-3l-3");
  EXPECT_EQ(expand("$${uuid} costs $5, ${other}, ${uuid", ids), "${uuid} costs $5, ${other}, ${uuid");
}

TEST(ExpansionTest, ReachesStringsAtAnyDepthButNoKeys) {
  const auto request = json::parse(R"({"${call}": [{"id": "${call}", "n": 1}, "${uuid}"]})", "f").value();
  EXPECT_TRUE(varies(request));
  EXPECT_EQ(json::write_line(expand_all(request, ids)), R"({"${call}": [{"id": "l-3", "n": 1}, "u-u"]})");
  EXPECT_FALSE(varies(json::parse(R"({"a": ["b", 1, null]})", "f").value()));
}

}  // namespace
}  // namespace breakwire::load
