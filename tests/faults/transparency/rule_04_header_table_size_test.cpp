// RELAY.md, rule 4: SETTINGS_HEADER_TABLE_SIZE is 4096 at most on the way, and in force for the relay's own
// encoder and decoder from the acknowledgements on.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

TEST(RelayRule04HeaderTableSize, OurEncoderTowardsTheAnnouncerChangesWhenTheAckIsForwardedToIt) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != faults::Stage::headers) return faults::Ruling{};
    return effect(faults::EditFields{.remove = {}, .set = {{"x-new", "1"}}, .rewrite = {}});
  };
  const auto first_octet_of = [&wire](StreamId id, const std::string& size_update = {}) {
    wire.client(frame(FrameType::headers, flag::end_headers | flag::end_stream, id,
                      size_update + encode_literally(request_fields("s/M"))));
    const std::string frames = wire.to_server();
    return static_cast<uint8_t>(frames.at(frame_header_size));
  };
  EXPECT_EQ(first_octet_of(1), 0x20) << "the fresh encoder's";
  EXPECT_NE(first_octet_of(3), 0x20);
  wire.server(setting(1, 0));
  EXPECT_NE(first_octet_of(5), 0x20) << "not acknowledged yet";
  wire.client(settings_ack);
  EXPECT_EQ(wire.to_server(), settings_ack);
  EXPECT_EQ(first_octet_of(7, hex("20")), 0x20) << "a size update to 0";
  EXPECT_NE(first_octet_of(9), 0x20);
}

TEST(RelayRule04HeaderTableSize, OurDecoderShrinksWhenTheOtherSidesAckArrives) {
  Wire wire;
  wire.begin();
  FieldEncoder client_side(4096);
  wire.server(setting(1, 0));
  wire.client(block(client_side, 1, request_fields("s/Before"), true));
  wire.client(block(client_side, 3, request_fields("s/Before"), true));  // refers to the table, rightly so
  EXPECT_EQ(wire.seen<faults::CallStarted>().back().method, "s/Before");
  wire.client(settings_ack);
  client_side.set_table_limit(0);
  wire.client(block(client_side, 5, request_fields("s/After"), true));
  EXPECT_EQ(wire.seen<faults::CallStarted>().back().method, "s/After");
  EXPECT_FALSE(wire.session.demand());
}

TEST(RelayRule04HeaderTableSize, AfterThatAReferenceIntoTheLargerTableIsAnError) {
  Wire wire;
  wire.begin();
  FieldEncoder client_side(4096);
  wire.client(block(client_side, 1, request_fields("s/M"), true));
  wire.server(setting(1, 0));
  wire.client(settings_ack);
  wire.client(block(client_side, 3, request_fields("s/M"), true));
  ASSERT_EQ(wire.seen<faults::ProtocolViolation>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::ProtocolViolation>()[0].what, "a field block that cannot be decoded");
}

TEST(RelayRule04HeaderTableSize, AnInjectedBlockLeavesATableThatItsSenderKeepsSmallAsItIs) {
  Wire wire;
  wire.begin();
  FieldDecoder client_reads;
  const auto announce = [&](uint32_t size) {
    wire.client(setting(1, size));
    wire.server(settings_ack);
    client_reads.set_table_limit(size);
  };
  const auto blocks = [&] { return blocks_in(wire.to_client(), client_reads).size(); };
  wire.client(Wire::request(1, true) + Wire::request(5, true));
  const std::string to_100 = hex("3f45");  // a size update (RFC 7541 §6.3)
  wire.server(frame(FrameType::headers, flag::end_headers, 1, to_100 + encode_literally(response_fields())));
  EXPECT_EQ(blocks(), 1u);
  announce(3'000);  // no reason for the server to say anything
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 9 ? ruling(faults::EndCall{}) : faults::Ruling{};
  };
  wire.client(Wire::request(9, true));
  EXPECT_EQ(blocks(), 1u);
  announce(500);  // nor now
  wire.server(Wire::headers(5, response_fields(), true));
  EXPECT_EQ(blocks(), 1u) << "the client waits for no size update";
}

TEST(RelayRule04HeaderTableSize, OfAServersAnnouncementTheSameHoldsTheOtherWay) {
  Wire wire;
  wire.client(std::string(client_preface) + settings_frame(hex("0001 00010000")));
  wire.server(settings_frame(hex("0001 00002000")));
  EXPECT_EQ(wire.to_client(), settings_frame(hex("0001 00001000")));
  EXPECT_EQ(wire.to_server(), std::string(client_preface) + settings_frame(hex("0001 00001000")));
}

TEST(RelayRule04HeaderTableSize, IsForwardedAsAtMost4096AndOtherSettingsAsTheyAre) {
  Wire wire;
  wire.client(std::string(client_preface) + settings_frame(hex("0001 00010000 fe03 00000001 0001 00000800")));
  EXPECT_EQ(wire.to_server(),
            std::string(client_preface) + settings_frame(hex("0001 00001000 fe03 00000001 0001 00000800")));
  wire.server(settings_frame(hex("0003 00000064")) + frame(FrameType::settings, flag::ack, 0, ""));
  EXPECT_EQ(wire.to_client(),
            settings_frame(hex("0003 00000064")) + frame(FrameType::settings, flag::ack, 0, ""));
}

}  // namespace
}  // namespace breakwire::http2::testing
