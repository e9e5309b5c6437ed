// Which bits of which bytes, in literal streams.
#include "faults/relay/corrupter.h"

#include <gtest/gtest.h>

#include "tests/faults/http2/bytes.h"

namespace breakwire::relay {
namespace {

using faults::Corrupt;
using http2::FrameType;
using http2::testing::frame;
using http2::testing::hex;
using Layer = Corrupt::Layer;
namespace flag = http2::flag;

/// Every byte of the layer becomes visible.
constexpr Corrupt all_of(Layer layer) { return {.layer = layer, .skip = 0, .every = 1, .mask = 0xff}; }

/// The stream as the corrupter lets it go, chunk by chunk.
class Stream {
 public:
  explicit Stream(std::vector<Corrupter::Order> orders, bool http2 = true)
      : orders_(std::move(orders)), http2_(http2) {}
  explicit Stream(Corrupt how, bool http2 = true) : Stream({{.by = {"bits"}, .how = how}}, http2) {}

  std::string send(std::string chunk) {
    hits = corrupter_.apply(orders_, chunk, position_, http2_);
    position_ += chunk.size();
    return chunk;
  }

  std::vector<Corrupter::Hit> hits;  // of the last chunk

 private:
  Corrupter corrupter_;
  std::vector<Corrupter::Order> orders_;
  bool http2_;
  uint64_t position_ = 0;
};

/// "x" where the byte was changed, "." where not.
std::string changes(const std::string& before, const std::string& after) {
  std::string marks;
  for (size_t i = 0; i < before.size(); ++i) marks += before[i] == after[i] ? '.' : 'x';
  return marks;
}
std::string changes(Layer layer, const std::string& chunk) {
  return changes(chunk, Stream(all_of(layer)).send(chunk));
}

const std::string nine_dots(9, '.');

struct LayerCase {
  std::string name, frame, header, payload, block;
};
class CorrupterLayerTest : public ::testing::TestWithParam<LayerCase> {};

TEST_P(CorrupterLayerTest, FindsTheBytesOfItsLayerAndNoOthers) {
  const auto& tested = GetParam();
  EXPECT_EQ(changes(Layer::frame_header, tested.frame), tested.header);
  EXPECT_EQ(changes(Layer::payload, tested.frame), tested.payload);
  EXPECT_EQ(changes(Layer::field_block, tested.frame), tested.block);
  EXPECT_EQ(changes(Layer::bytes, tested.frame), std::string(tested.frame.size(), 'x'));
}

const std::string header_only = "xxxxxxxxx";
INSTANTIATE_TEST_SUITE_P(
    All, CorrupterLayerTest,
    ::testing::Values(
        LayerCase{"data", frame(FrameType::data, 0, 1, "abc"), header_only + "...", nine_dots + "xxx",
                  nine_dots + "..."},
        LayerCase{"padded_data", frame(FrameType::data, flag::padded, 1, hex("02") + "abc" + hex("00 00")),
                  header_only + "......", nine_dots + ".xxx..", nine_dots + "......"},
        LayerCase{"padding_alone", frame(FrameType::data, flag::padded, 1, hex("02 00 00")),
                  header_only + "...", nine_dots + "...", nine_dots + "..."},
        LayerCase{"empty_data", frame(FrameType::data, flag::end_stream, 1, ""), header_only, nine_dots,
                  nine_dots},
        LayerCase{"headers", frame(FrameType::headers, flag::end_headers, 1, "blk"), header_only + "...",
                  nine_dots + "...", nine_dots + "xxx"},
        LayerCase{"padded_headers_with_priority",
                  frame(FrameType::headers, flag::end_headers | flag::padded | flag::priority, 1,
                        hex("01 00 00 00 00 10") + "blk" + hex("00")),
                  header_only + "..........", nine_dots + "..........", nine_dots + "......xxx."},
        LayerCase{"continuation", frame(FrameType::continuation, flag::padded, 1, "blk"), header_only + "...",
                  nine_dots + "...", nine_dots + "xxx"},  // has no padding, whatever its flags
        LayerCase{"window_update", frame(FrameType::window_update, 0, 1, "1234"), header_only + "....",
                  nine_dots + "....", nine_dots + "...."},
        LayerCase{"settings", frame(FrameType::settings, flag::ack | flag::padded, 0, ""), header_only,
                  nine_dots, nine_dots}),
    [](const auto& tested) { return tested.param.name; });

TEST(CorrupterTest, TakesTheClientsPrefaceForNoFrame) {
  const std::string preface(http2::client_preface);
  const std::string opening = preface + frame(FrameType::settings, 0, 0, "");
  EXPECT_EQ(changes(Layer::frame_header, opening), std::string(24, '.') + header_only);
  EXPECT_EQ(changes(Layer::bytes, opening), std::string(33, 'x'));
  EXPECT_EQ(changes(Layer::frame_header, preface), std::string(24, '.'));
}

TEST(CorrupterTest, HitsTheByteBehindThoseItSkipsAndOnlyThat) {
  Stream stream({.layer = Layer::payload, .skip = 4, .every = 0, .mask = 0x81});
  EXPECT_EQ(stream.send(frame(FrameType::data, 0, 1, "abc")), frame(FrameType::data, 0, 1, "abc"));
  EXPECT_TRUE(stream.hits.empty());
  EXPECT_EQ(stream.send(frame(FrameType::data, 0, 3, "def")),
            frame(FrameType::data, 0, 3, std::string("d") + static_cast<char>('e' ^ 0x81) + "f"));
  ASSERT_EQ(stream.hits.size(), 1u);
  EXPECT_EQ(stream.hits[0].bytes, 1u);
  EXPECT_EQ(stream.send(frame(FrameType::data, 0, 1, "ghi")), frame(FrameType::data, 0, 1, "ghi"));
}

TEST(CorrupterTest, HitsTheSameOctetOfEveryFrameHeader) {
  Stream stream({.layer = Layer::frame_header, .skip = 4, .every = 9, .mask = 1});
  const std::string before =
      frame(FrameType::data, 0, 1, "payload") + frame(FrameType::ping, 0, 0, "12345678");
  const std::string after = frame(FrameType::data, flag::end_stream, 1, "payload") +
                            frame(FrameType::ping, flag::ack, 0, "12345678");
  EXPECT_EQ(stream.send(before), after);
  EXPECT_EQ(stream.send(before), after);
}

TEST(CorrupterTest, CountsOnWhereverTheChunksEnd) {
  std::vector<std::string> frames;
  for (StreamId id = 1; id < 60; ++id) {
    frames.push_back(frame(id % 3 == 0 ? FrameType::headers : FrameType::data, flag::end_headers, id,
                           std::string(id * 7 % 50, 'a')));
  }
  for (const Layer layer : {Layer::bytes, Layer::payload, Layer::field_block, Layer::frame_header}) {
    const Corrupt how{.layer = layer, .skip = 11, .every = 13, .mask = 0x10};
    std::string whole, piecewise;
    for (const auto& one : frames) whole += one;
    whole = Stream(how).send(whole);
    Stream pieces(how);
    for (size_t i = 0; i < frames.size();) {
      std::string chunk = frames[i++];
      while (i % 4 != 0 && i < frames.size()) chunk += frames[i++];
      piecewise += pieces.send(chunk);
    }
    EXPECT_TRUE(whole == piecewise) << static_cast<int>(layer);
  }
}

TEST(CorrupterTest, TakesEveryByteForPayloadWhereThereIsNoHttp2) {
  Stream payload({.layer = Layer::payload, .skip = 1, .every = 2, .mask = 0x20}, false);
  EXPECT_EQ(payload.send("abc"), "aBc");
  EXPECT_EQ(payload.send("def"), "DeF");
  Stream block(all_of(Layer::field_block), false);
  EXPECT_EQ(block.send("abc"), "abc");
  EXPECT_TRUE(block.hits.empty());
}

TEST(CorrupterTest, FindsTheLayersOfSeveralFaultsBeforeAnyOfThemActs) {
  const std::string before = frame(FrameType::data, 0, 1, "abcd") + frame(FrameType::data, 0, 3, "ef");
  Stream stream({{.by = {"headers"}, .how = all_of(Layer::frame_header)},
                 {.by = {"payload"}, .how = all_of(Layer::payload)}});
  EXPECT_EQ(changes(before, stream.send(before)), std::string(before.size(), 'x'));
  ASSERT_EQ(stream.hits.size(), 2u);
  EXPECT_EQ(stream.hits[0].bytes, 18u);
  EXPECT_EQ(stream.hits[1].bytes, 6u);
}

TEST(CorrupterTest, LeavesAloneWhatItWasShownBeforeAndWhatHasLeft) {
  Corrupter corrupter;
  const std::vector<Corrupter::Order> orders{
      {.by = {"bits"}, .how = {.layer = Layer::bytes, .skip = 0, .every = 2, .mask = 0x20}}};
  std::string chunk = "abcdef";
  EXPECT_EQ(corrupter.apply(orders, chunk, 100, false, 3).size(), 1u);
  EXPECT_EQ(chunk, "abcDeF");
  EXPECT_TRUE(corrupter.apply(orders, chunk, 100, false).empty());
  EXPECT_EQ(chunk, "abcDeF");
  corrupter.forget({"bits"});
  EXPECT_EQ(corrupter.apply(orders, chunk, 106, false).front().bytes, 3u);
}

TEST(CorrupterTest, SurvivesBytesThatAreNoFrames) {
  EXPECT_EQ(changes(Layer::payload, "abc"), "...");
  EXPECT_EQ(changes(Layer::payload, frame(FrameType::data, flag::padded, 1, hex("ff 00"))), nine_dots + "..");
  std::string cut = frame(FrameType::data, 0, 1, "abcdef");
  cut.resize(12);
  EXPECT_EQ(changes(Layer::payload, cut), nine_dots + "xxx");
}

}  // namespace
}  // namespace breakwire::relay
