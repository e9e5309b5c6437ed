// Frames as literal bytes, read and written.
#include <gtest/gtest.h>

#include "tests/faults/http2/bytes.h"

namespace breakwire::http2::testing {
namespace {

using Lines = std::vector<std::string>;

/// What a reader without preface makes of SETTINGS and `bytes`, `step` bytes at a time.
Lines read(std::string_view bytes, size_t step = 1'000'000, ReaderLimits limits = {}) {
  FrameReader reader(limits, false);
  WritingSink sink;
  reader.feed(bytes_of(settings_frame()), sink);
  sink.lines.clear();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!reader.feed(bytes_of(bytes.substr(0, step)), sink)) break;
  }
  return sink.lines;
}

TEST(FrameTest, WritesTheFramesOfTheSpecification) {
  std::string out;
  append_rst_stream(out, 5, Http2Error::cancel);
  EXPECT_EQ(out, hex("000004 03 00 00000005 00000008"));
  out.clear();
  append_window_update(out, 0, 65'536);
  EXPECT_EQ(out, hex("000004 08 00 00000000 00010000"));
  out.clear();
  append_goaway(out, 3, Http2Error::enhance_your_calm, "calm");
  EXPECT_EQ(out, hex("00000c 07 00 00000000 00000003 0000000b") + "calm");
  out.clear();
  append_data(out, 1, bytes_of("hello"), true);
  EXPECT_EQ(out, hex("000005 00 01 00000001") + "hello");
  out.clear();
  append_data(out, 1, bytes_of("hello"), false, true, 2);
  EXPECT_EQ(out, hex("000008 00 08 00000001 02") + "hello" + hex("0000"));
}

TEST(FrameTest, CutsALargeFieldBlockIntoContinuations) {
  std::string out;
  append_field_block(out, 7, "abcdefgh", true, 3);
  EXPECT_EQ(out, hex("000003 01 01 00000007") + "abc" + hex("000003 09 00 00000007") + "def" +
                     hex("000002 09 04 00000007") + "gh");
  out.clear();
  append_field_block(out, 7, "", false, 3);
  EXPECT_EQ(out, hex("000000 01 04 00000007"));
}

TEST(FrameReaderTest, ReadsThePrefaceThenFrames) {
  FrameReader reader({}, true);
  WritingSink sink;
  const std::string bytes = std::string(client_preface) + settings_frame(hex("0004 0000ffff"));
  for (const char c : bytes) ASSERT_TRUE(reader.feed(bytes_of(std::string_view(&c, 1)), sink));
  ASSERT_EQ(sink.lines.size(), 2u);
  EXPECT_EQ(sink.lines[0], "preface");
  EXPECT_EQ(sink.lines[1], "control 4 0 '" + hex("0004 0000ffff") + "'");
}

TEST(FrameReaderTest, HandsOnDataAsItComes) {
  const std::string data = frame(FrameType::data, flag::end_stream, 1, "hello");
  EXPECT_EQ(read(data), (Lines{"data 1 'hello' last end"}));
  EXPECT_EQ(read(data, 11), (Lines{"data 1 'he'", "data 1 'llo' last end"}));
  EXPECT_EQ(read(data, 1),
            (Lines{"data 1 'h'", "data 1 'e'", "data 1 'l'", "data 1 'l'", "data 1 'o' last end"}));
  EXPECT_EQ(read(frame(FrameType::data, flag::end_stream, 3, "")), (Lines{"data 3 '' last end"}));
}

TEST(FrameReaderTest, KeepsPaddingForTheLastPiece) {
  const std::string padded =
      frame(FrameType::data, flag::padded | flag::end_stream, 1, hex("02") + "abc" + hex("0000"));
  EXPECT_EQ(read(padded), (Lines{"data 1 'abc' last end padded 2"}));
  EXPECT_EQ(read(padded, 12), (Lines{"data 1 'ab'", "data 1 'c' last end padded 2"}));
  EXPECT_EQ(read(padded, 13), (Lines{"data 1 'abc'", "data 1 '' last end padded 2"}));
  EXPECT_EQ(read(padded, 1),
            (Lines{"data 1 'a'", "data 1 'b'", "data 1 'c'", "data 1 '' last end padded 2"}));
  // Nothing but padding, and nothing but its length.
  EXPECT_EQ(read(frame(FrameType::data, flag::padded, 1, hex("01 00"))), (Lines{"data 1 '' last padded 1"}));
  EXPECT_EQ(read(frame(FrameType::data, flag::padded, 1, hex("00"))), (Lines{"data 1 '' last padded 0"}));
  EXPECT_EQ(read(frame(FrameType::data, flag::padded, 1, hex("00")), 1), (Lines{"data 1 '' last padded 0"}));
}

TEST(FrameReaderTest, PaddingCountsAgainstTheWindow) {
  EXPECT_EQ((DataPiece{.data = bytes_of("abc"), .last = true, .padded = true, .padding = 2}).flow(), 6u);
  EXPECT_EQ((DataPiece{.data = bytes_of("abc"), .last = false}).flow(), 3u);
}

TEST(FrameReaderTest, JoinsAFieldBlockAndStripsPaddingAndPriority) {
  const std::string whole = frame(FrameType::headers, flag::padded | flag::priority | flag::end_stream, 1,
                                  hex("01 00000003 10") + "ab" + hex("00")) +
                            frame(FrameType::continuation, 0, 1, "") +
                            frame(FrameType::continuation, flag::end_headers, 1, "cd");
  for (size_t step : {size_t{1}, size_t{7}, whole.size()}) {
    EXPECT_EQ(read(whole, step), (Lines{"block 1 [ab][][cd] end of " + std::to_string(whole.size())}));
  }
}

TEST(FrameReaderTest, PassesOverPriorityAndUnknownTypes) {
  EXPECT_EQ(read(frame(FrameType::priority, 0, 1, hex("00000000 10")) +
                     frame(FrameType{0x42}, 0, 9, "whatever") + frame(FrameType::ping, 0, 0, "12345678"),
                 3),
            (Lines{"ignored 2", "ignored 66", "control 6 0 '12345678'"}));
}

struct WrongCase {
  std::string name;
  std::string bytes;
  std::string said;
};
class WrongFramesTest : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongFramesTest, AreNamedAndEndTheReading) {
  for (size_t step : {size_t{1}, size_t{1000}}) {
    const Lines lines = read(GetParam().bytes + frame(FrameType::ping, 0, 0, "12345678"), step);
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back(), GetParam().said);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Frames, WrongFramesTest,
    ::testing::Values(
        WrongCase{"data_on_0", frame(FrameType::data, 0, 0, "x"),
                  "violation PROTOCOL_ERROR: DATA on stream 0"},
        WrongCase{"too_much_padding", frame(FrameType::data, flag::padded, 1, hex("05") + "abc"),
                  "violation PROTOCOL_ERROR: DATA with more padding than payload"},
        WrongCase{"no_pad_length", frame(FrameType::data, flag::padded, 1, ""),
                  "violation FRAME_SIZE_ERROR: DATA without its pad length"},
        WrongCase{"headers_on_0", frame(FrameType::headers, flag::end_headers, 0, "x"),
                  "violation PROTOCOL_ERROR: HEADERS on stream 0"},
        WrongCase{"short_headers", frame(FrameType::headers, flag::end_headers | flag::priority, 1, "abc"),
                  "violation PROTOCOL_ERROR: HEADERS shorter than its padding and priority"},
        WrongCase{"stray_continuation", frame(FrameType::continuation, flag::end_headers, 1, "x"),
                  "violation PROTOCOL_ERROR: CONTINUATION without HEADERS"},
        WrongCase{"interrupted_block",
                  frame(FrameType::headers, 0, 1, "x") + frame(FrameType::ping, 0, 0, "12345678"),
                  "violation PROTOCOL_ERROR: a field block was interrupted by another frame"},
        WrongCase{"unknown_in_block", frame(FrameType::headers, 0, 1, "x") + frame(FrameType{0x42}, 0, 1, ""),
                  "violation PROTOCOL_ERROR: a field block was interrupted by another frame"},
        WrongCase{
            "other_continuation",
            frame(FrameType::headers, 0, 1, "x") + frame(FrameType::continuation, flag::end_headers, 3, "x"),
            "violation PROTOCOL_ERROR: a field block was interrupted by another frame"},
        WrongCase{"short_ping", frame(FrameType::ping, 0, 0, "1234567"),
                  "violation FRAME_SIZE_ERROR: PING of a wrong length"},
        WrongCase{"ping_on_stream", frame(FrameType::ping, 0, 1, "12345678"),
                  "violation PROTOCOL_ERROR: PING on a wrong stream"},
        WrongCase{"long_window_update", frame(FrameType::window_update, 0, 0, "12345"),
                  "violation FRAME_SIZE_ERROR: WINDOW_UPDATE of a wrong length"},
        WrongCase{"odd_settings", frame(FrameType::settings, 0, 0, "1234567"),
                  "violation FRAME_SIZE_ERROR: SETTINGS of a wrong length"},
        WrongCase{"full_settings_ack", frame(FrameType::settings, flag::ack, 0, "123456"),
                  "violation FRAME_SIZE_ERROR: SETTINGS of a wrong length"},
        WrongCase{"short_goaway", frame(FrameType::goaway, 0, 0, "1234567"),
                  "violation FRAME_SIZE_ERROR: GOAWAY of a wrong length"},
        WrongCase{"reset_of_0", frame(FrameType::rst_stream, 0, 0, "1234"),
                  "violation PROTOCOL_ERROR: RST_STREAM on a wrong stream"}),
    [](const auto& one) { return one.param.name; });

TEST(FrameReaderTest, RefusesAWrongPrefaceAndAConnectionWithoutSettings) {
  FrameReader client({}, true);
  WritingSink sink;
  EXPECT_FALSE(client.feed(bytes_of("PRI * HTTP/1.1"), sink));
  FrameReader server({}, false);
  EXPECT_FALSE(server.feed(bytes_of("HTTP/1.1 400 Bad Request\r\n"), sink));
  EXPECT_EQ(sink.lines, (Lines{"violation PROTOCOL_ERROR: the client connection preface is wrong",
                               "violation PROTOCOL_ERROR: the connection does not begin with SETTINGS"}));
}

TEST(FrameReaderTest, BoundsAFieldBlockByBytesAndByContinuations) {
  std::string flood = frame(FrameType::headers, 0, 1, "");
  for (int i = 0; i < 4; ++i) flood += frame(FrameType::continuation, 0, 1, "");
  EXPECT_EQ(read(flood, 1000, {.continuations = 3}), (Lines{"limit continuations"}));
  EXPECT_EQ(read(flood, 1000, {.continuations = 4}), Lines{});
  // The announced length is enough to know.
  EXPECT_EQ(read(hex("010001 01 04 00000001"), 1, {.field_block_bytes = 65'536}),
            (Lines{"limit field_block_bytes"}));
}

}  // namespace
}  // namespace breakwire::http2::testing
