#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(TruncateMessageTest, CutsAtTheMessageStagesOnly) {
  const auto fault = wire_fault("truncate_message");
  for (const Stage stage : every_stage) {
    const bool here = stage == Stage::request_message || stage == Stage::response_message;
    EXPECT_EQ(said_at(*fault, stage), here ? "cut_message" : "forward");
  }
  EXPECT_EQ(default_match(*find_fault_kind("truncate_message")).stage, Stage::response_message);
}

TEST(TruncateMessageTest, LetsThePrefixGoUnlessToldOtherwise) {
  const CallFacts facts = call(1);
  const CallReached reached{.stage = Stage::response_message, .call = &facts};
  EXPECT_EQ(std::get<CutMessage>(answer(*wire_fault("truncate_message"), reached)).bytes, 5u);
  EXPECT_EQ(
      std::get<CutMessage>(answer(*wire_fault("truncate_message", R"({"bytes": "1KiB"})"), reached)).bytes,
      1024u);
}

TEST(TruncateMessageTest, CutsTheMessageThatIsNamed) {
  FaultSet set;
  set.arm(instance("truncate_message", "{}", R"({"stage": "request_message", "message": 2})"), Instant{});
  const CallFacts facts = call(1);
  EXPECT_EQ(said(ask(set, facts, Stage::headers)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::request_message, 1)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::request_message, 2)), "cut_message");
  EXPECT_EQ(said(ask(set, facts, Stage::response_message, 2)), "forward");
}

TEST(TruncateMessageTest, ASizeHasAUnit) {
  EXPECT_NE(complaint("truncate_message", R"({"bytes": 8})").find("a bare number is not a size"),
            std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
