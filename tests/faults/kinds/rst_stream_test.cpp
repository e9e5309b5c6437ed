#include "faults/kinds/names.h"
#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(RstStreamTest, ResetsTheCallWithItsCodeAtTheMatchedStageOnly) {
  for (const Stage matched : every_stage) {
    FaultSet set;
    const std::string name = Codec<std::optional<Stage>>::show(matched);
    set.arm(instance("rst_stream", R"({"code": "ENHANCE_YOUR_CALM"})", R"({"stage": ")" + name + R"("})"),
            Instant{});
    for (const Stage stage : every_stage) {
      const auto ruling = ask(set, call(1), stage);
      ASSERT_EQ(said(ruling), stage == matched ? "reset_stream" : "forward") << name;
      if (stage != matched) continue;
      EXPECT_EQ(std::get<ResetStream>(ruling.action).code, Http2Error::enhance_your_calm);
    }
  }
}

TEST(RstStreamTest, ActsAtTheHeadersWhenNoStageIsNamed) {
  EXPECT_EQ(default_match(*find_fault_kind("rst_stream")).stage, Stage::headers);
}

TEST(RstStreamTest, SaysRefusedStreamOnlyWhereNothingWasForwarded) {
  const std::string refused = R"({ "code": "REFUSED_STREAM" })";
  EXPECT_EQ(joint_complaint("rst_stream", refused, "{}"), "");
  EXPECT_EQ(joint_complaint("rst_stream", refused, R"({"stage": "headers"})"), "");
  EXPECT_EQ(joint_complaint("rst_stream", R"({"code": "CANCEL"})", R"({"stage": "response_end"})"), "");
  EXPECT_EQ(joint_complaint("rst_stream", refused, R"({"stage": "request_end"})"),
            "error: REFUSED_STREAM promises that the call was not processed, and at stage `request_end` the "
            "service has seen it\n"
            " --> test.json:1:11\n"
            "  |\n"
            "1 | { \"code\": \"REFUSED_STREAM\" }\n"
            "  |           ^^^^^^^^^^^^^^^^ act at stage `headers`, or say another code, such as CANCEL or "
            "INTERNAL_ERROR\n");
}

TEST(RstStreamTest, LeavesTheConnectionsBytesAlone) {
  EXPECT_EQ(said(*wire_fault("rst_stream", R"({"code": "CANCEL"})"), BytesReady{one, Direction::request, 1}),
            "forward");
}

}  // namespace
}  // namespace breakwire::faults
