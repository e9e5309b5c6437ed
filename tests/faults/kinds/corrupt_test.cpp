#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

Corrupt corruption(const std::string& with) {
  return std::get<Corrupt>(answer(*wire_fault("corrupt", with), BytesReady{one, Direction::request, 1}));
}

TEST(CorruptTest, SaysWhichBitsOfWhichBytesOfWhichLayer) {
  const auto one_byte = corruption(R"({"layer": "field_block"})");
  EXPECT_EQ(one_byte.layer, Corrupt::Layer::field_block);
  EXPECT_EQ(one_byte.skip, 0u);
  EXPECT_EQ(one_byte.every, 0u);
  EXPECT_EQ(one_byte.mask, 1u);
  const auto many = corruption(R"({"layer": "payload", "skip": "1KiB", "every": "9B", "bits": [7, 0, 3]})");
  EXPECT_EQ(many.layer, Corrupt::Layer::payload);
  EXPECT_EQ(many.skip, 1024u);
  EXPECT_EQ(many.every, 9u);
  EXPECT_EQ(many.mask, 0x89u);
}

TEST(CorruptTest, LeavesEndsAndConnectionsAlone) {
  const auto fault = wire_fault("corrupt", R"({"layer": "bytes"})");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 0, 5}), "forward");
  EXPECT_EQ(said(*fault, ConnectionOffered{one}), "forward");
  EXPECT_EQ(said(*fault, ConnectionFound{one}), "forward");
}

TEST(CorruptTest, IsNoHitBeforeAByteIsFlipped) {
  FaultSet set;
  set.arm(instance("corrupt", R"({"layer": "payload"})"), Instant{});
  EXPECT_EQ(set.bytes(one, Direction::request, 100).effects.size(), 1u);
  EXPECT_EQ(set.tally({"corrupt"}), (FaultTally{.eligible = 1, .hits = 0}));
  set.carried_out({"corrupt"}, one, Direction::request);
  set.carried_out({"corrupt"}, one, Direction::request);
  EXPECT_EQ(set.tally({"corrupt"}), (FaultTally{.eligible = 1, .hits = 1}));
  set.carried_out({"corrupt"}, one, Direction::response);
  EXPECT_EQ(set.tally({"corrupt"}), (FaultTally{.eligible = 1, .hits = 2}));
}

struct WrongCase {
  std::string with, says, hints;
};
class WrongCorruptTest : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongCorruptTest, IsAnErrorThatSaysWhatAndWhatNext) {
  const std::string text = complaint("corrupt", GetParam().with);
  EXPECT_NE(text.find("error: " + GetParam().says + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find(GetParam().hints), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongCorruptTest,
    ::testing::Values(WrongCase{"{}", "`layer` is missing", "payload"},
                      WrongCase{R"({"layer": "header"})", "unknown layer `header`", ""},
                      WrongCase{R"({"layer": "frame_headers"})", "unknown layer `frame_headers`",
                                "did you mean `frame_header`?"},
                      WrongCase{R"({"layer": "bytes", "every": "0B"})", "`every` counts from one byte on",
                                "\"1B\""},
                      WrongCase{R"({"layer": "bytes", "skip": 5})", "a bare number is not a size", ""},
                      WrongCase{R"({"layer": "bytes", "bits": []})", "no bit is to be flipped", "[0]"},
                      WrongCase{R"({"layer": "bytes", "bits": [1, 8]})", "a byte has no bit 8",
                                "0, the least significant, to 7"},
                      WrongCase{R"({"layer": "bytes", "bits": [3, 1, 3]})", "bit 3 is named twice", ""}));

}  // namespace
}  // namespace breakwire::faults
