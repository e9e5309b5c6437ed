// RELAY.md, rule 3: DATA is never waited for, and nothing comes between HEADERS and its CONTINUATIONs.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

/// The upstream takes frames of 4 MiB, as C-core announces, and as much of them as there is.
void accept_large_frames(Wire& wire) {
  wire.server(settings_frame(serialise(
                  {{SettingId::max_frame_size, 4'194'303}, {SettingId::initial_window_size, 1u << 30}})) +
              Wire::window_update(0, 1u << 30));
  wire.client(settings_ack);
  wire.to_client();
  wire.to_server();
}

TEST(RelayRule03CutThrough, WhatIsThereOfAFrameIsForwardedAtOnce) {
  Wire wire;
  wire.begin();
  accept_large_frames(wire);
  const std::string whole = Wire::data(1, std::string(4'194'303, 'x'));
  wire.client(Wire::request(1) + whole.substr(0, frame_header_size + 100));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, std::string(100, 'x')));
}

TEST(RelayRule03CutThrough, PiecesAreOf64KiBAtMostWhateverTheReceiverTakes) {
  Wire wire;
  wire.begin();
  accept_large_frames(wire);
  wire.client(Wire::request(1) + Wire::data(1, std::string(150'000, 'x'), true));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, std::string(65'536, 'x')) +
                                  Wire::data(1, std::string(65'536, 'x')) +
                                  Wire::data(1, std::string(150'000 - 2 * 65'536, 'x'), true));
}

TEST(RelayRule03CutThrough, PaddingAndEndStreamComeWithTheLastPiece) {
  Wire wire;
  wire.begin();
  const std::string padded =
      frame(FrameType::data, flag::padded | flag::end_stream, 1, hex("03") + "0123456789" + hex("000000"));
  wire.client(Wire::request(1) + padded.substr(0, frame_header_size + 1 + 4));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "0123"));
  wire.client(padded.substr(frame_header_size + 1 + 4, 6));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "456789"));
  wire.client(padded.substr(frame_header_size + 1 + 10));
  EXPECT_EQ(wire.to_server(), frame(FrameType::data, flag::padded | flag::end_stream, 1, hex("03 000000")));
}

TEST(RelayRule03CutThrough, ControlFramesGoBetweenPieces) {
  Wire wire;
  wire.begin();
  const std::string data = Wire::data(1, "0123456789", true);
  wire.client(Wire::request(1) + data.substr(0, frame_header_size + 4));
  wire.session.act({"f"}, faults::EditSettings{.values = {{4, 100}}, .to_caller = false}, wire.now);
  wire.client(data.substr(frame_header_size + 4));
  EXPECT_EQ(wire.to_server(),
            Wire::request(1) + Wire::data(1, "0123") + setting(4, 100) + Wire::data(1, "456789", true));
}

TEST(RelayRule03CutThrough, NothingGoesBetweenHeadersAndContinuations) {
  Wire wire;
  wire.begin();
  const std::string fields = encode_literally(request_fields("s/M"));
  const std::string block = frame(FrameType::headers, flag::end_stream, 1, fields.substr(0, 10)) +
                            frame(FrameType::continuation, 0, 1, fields.substr(10, 10)) +
                            frame(FrameType::continuation, flag::end_headers, 1, fields.substr(20));
  wire.client(block.substr(0, 30));
  wire.session.act({"f"}, faults::EditSettings{.values = {{4, 100}}, .to_caller = false}, wire.now);
  wire.server(frame(FrameType::ping, 0, 0, "12345678"));
  wire.client(block.substr(30));
  EXPECT_EQ(wire.to_server(), setting(4, 100) + block);
}

TEST(RelayRule03CutThrough, AReEncodedBlockIsCutForItsReceiverWithNothingInBetween) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != faults::Stage::headers) return faults::Ruling{};
    return effect(
        faults::EditFields{.remove = {}, .set = {{"x-long", std::string(40'000, '~')}}, .rewrite = {}});
  };
  wire.client(Wire::request(1, true));
  const std::string frames = wire.to_server();
  std::vector<FrameType> types;
  for (size_t at = 0; at < frames.size();) {
    const FrameHeader header = parse_frame_header(bytes_of(frames).data() + at);
    EXPECT_LE(header.length, 16'384u);
    types.push_back(header.type);
    at += frame_header_size + header.length;
  }
  EXPECT_EQ(types,
            (std::vector<FrameType>{FrameType::headers, FrameType::continuation, FrameType::continuation}));
}

TEST(RelayRule03CutThrough, IsCutToTheReceiversFrameSize) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::data(1, std::string(40'000, 'x'), true));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, std::string(16'384, 'x')) +
                                  Wire::data(1, std::string(16'384, 'x')) +
                                  Wire::data(1, std::string(7'232, 'x'), true));
}

}  // namespace
}  // namespace breakwire::http2::testing
