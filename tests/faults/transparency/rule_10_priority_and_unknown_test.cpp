// RELAY.md, rule 10: what may be dropped is, and what must not be is not.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using namespace std::string_literals;

TEST(RelayRule10PriorityAndUnknown, TrueBinaryMetadataIsAnnouncedAsItIs) {
  Wire wire;
  wire.client(std::string(client_preface) + setting(0xfe03, 1));
  EXPECT_EQ(wire.to_server(), std::string(client_preface) + setting(0xfe03, 1));
  wire.server(setting(0xfe03, 1));
  EXPECT_EQ(wire.to_client(), setting(0xfe03, 1));
}

TEST(RelayRule10PriorityAndUnknown, BinaryValuesPassRawOrInBase64AlsoWhenReEncoded) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != faults::Stage::headers) return faults::Ruling{};
    return effect(faults::EditFields{.remove = {}, .set = {{"x-new", "1"}}, .rewrite = {}});
  };
  faults::Metadata fields =
      request_fields("s/M", {{"x-raw-bin", "\0\0\1\xff"s}, {"x-text-bin", "AAH/"}, {"x-raw-bin", "\0"s}});
  wire.client(Wire::headers(1, fields, true));
  FieldDecoder server_reads;
  fields.push_back({"x-new", "1"});
  EXPECT_EQ(blocks_in(wire.to_server(), server_reads), (std::vector<faults::Metadata>{fields}));
}

TEST(RelayRule10PriorityAndUnknown, BinaryValuesAreEditedInBothForms) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != faults::Stage::headers) return faults::Ruling{};
    return effect(faults::EditFields{
        .remove = {}, .set = {}, .rewrite = {{"x-raw-bin", "\0\7"s}, {"x-text-bin", "AAc"}}});
  };
  wire.client(
      Wire::headers(1, request_fields("s/M", {{"x-raw-bin", "\0\0\1"s}, {"x-text-bin", "AAE"}}), true));
  FieldDecoder server_reads;
  EXPECT_EQ(blocks_in(wire.to_server(), server_reads),
            (std::vector<faults::Metadata>{
                request_fields("s/M", {{"x-raw-bin", "\0\7"s}, {"x-text-bin", "AAc"}})}));
}

TEST(RelayRule10PriorityAndUnknown, TheyAreDroppedAlsoBetweenPiecesAndOnAnyStream) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + frame(FrameType{0xff}, 0xff, 1, std::string(300, 'u')) +
              frame(FrameType::priority, 0, 77, hex("00000001 10")) + Wire::data(1, "x", true));
  wire.server(frame(FrameType{0x20}, 0, 2, ""));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "x", true));
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_EQ(wire.session.ignored_frames(), 3u);
}

TEST(RelayRule10PriorityAndUnknown, FramesAreDroppedAndCounted) {
  Wire wire;
  wire.begin();
  wire.client(frame(FrameType::priority, 0, 3, hex("00000000 10")) + frame(FrameType{0x10}, 0, 0, "u=1"));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.session.ignored_frames(), 2u);
}

TEST(RelayRule10PriorityAndUnknown, ASecondEndStreamHeadersIsDecodedButNotForwarded) {
  // C-core's server does this after a deadline or a cancel; its encoder refers to its table ever after.
  Wire wire;
  wire.begin();
  FieldEncoder server_side(4096);
  FieldDecoder client_side;
  const auto block = [&](StreamId id, const faults::Metadata& fields) {
    std::string out;
    append_field_block(out, id, server_side.encode(fields), true, 16'384);
    return out;
  };
  const faults::Metadata deadline{
      {":status", "200"}, {"grpc-status", "4"}, {"grpc-message", "Deadline Exceeded"}};
  const faults::Metadata cancelled{{":status", "200"}, {"grpc-status", "1"}, {"x-late", "again and again"}};
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.server(block(1, deadline) + Wire::reset(1, Http2Error::no_error));
  wire.server(block(1, cancelled) + Wire::reset(1, Http2Error::no_error));
  wire.server(block(3, cancelled));
  wire.server(block(5, cancelled));
  const std::string bytes = wire.to_client();
  std::vector<faults::Metadata> got;
  for (size_t at = 0; at < bytes.size();) {
    const FrameHeader header = parse_frame_header(bytes_of(bytes).data() + at);
    ASSERT_EQ(header.type, FrameType::headers);
    const std::string_view fragment = std::string_view(bytes).substr(at + frame_header_size, header.length);
    ASSERT_EQ(decode(client_side, {fragment}, 10'000, got.emplace_back()), FieldDecoder::Outcome::ok);
    at += frame_header_size + header.length;
  }
  EXPECT_EQ(got, (std::vector<faults::Metadata>{deadline, cancelled, cancelled}));
  EXPECT_FALSE(wire.session.demand());
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 3u);
}

}  // namespace
}  // namespace breakwire::http2::testing
