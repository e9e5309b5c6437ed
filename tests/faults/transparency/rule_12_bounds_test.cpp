// RELAY.md, rule 12: bounds, each an option, and reaching one an event that names the peer. The time a
// handshake may take: tests/faults/relay/hostile_peers_test.cpp.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

/// The last frame's header is not counted against the bound. A request whose HEADERS and CONTINUATIONs are so
/// many octets together; a receiver of 16 KiB takes each.
std::string request_of(size_t all, size_t continuations) {
  const size_t octets = all - frame_header_size * (continuations + 1);
  std::string block = encode_literally(request_fields("s/M", {{"x-long", ""}}));
  block.pop_back();  // the length 0
  const size_t left = octets - block.size() - 4;
  block += hex("7f") + static_cast<char>(0x80 | ((left - 127) & 0x7f)) +
           static_cast<char>(0x80 | (((left - 127) >> 7) & 0x7f)) + static_cast<char>((left - 127) >> 14) +
           std::string(left, 'v');
  EXPECT_EQ(block.size(), octets);
  const size_t part = octets / (continuations + 1) + 1;
  std::string out;
  for (size_t i = 0; i <= continuations; ++i) {
    const std::string_view piece = std::string_view(block).substr(std::min(block.size(), i * part), part);
    out += frame(i == 0 ? FrameType::headers : FrameType::continuation,
                 i == continuations ? flag::end_headers : 0, 1, piece);
  }
  return out;
}

TEST(RelayRule12Bounds, AreByDefaultThoseOfTheRule) {
  EXPECT_EQ(Limits{}.field_block_bytes, 64u * 1024);
  EXPECT_EQ(Limits{}.continuations, 16u);
  EXPECT_EQ(Limits{}.field_list_bytes, 256u * 1024);
  EXPECT_EQ(Limits{}.held_bytes, 1u << 20);
}

TEST(RelayRule12Bounds, ABlockAtBothItsBoundsPasses) {
  Wire wire;
  wire.begin();
  const std::string frames = request_of(64 * 1024, 16);
  wire.client(frames);
  EXPECT_EQ(wire.to_server(), frames);
  EXPECT_TRUE(wire.seen<faults::LimitReached>().empty());
}

struct BoundCase {
  std::string name;
  std::string frames;
  std::string limit;
  Side by = Side::downstream;
  friend void PrintTo(const BoundCase& one, std::ostream* out) { *out << one.name; }
};
class RelayRule12BoundOfBlocks : public ::testing::TestWithParam<BoundCase> {};

TEST_P(RelayRule12BoundOfBlocks, ReachingItEndsTheConnectionAndNamesThePeer) {
  Wire wire;
  wire.begin();
  const bool client = GetParam().by == Side::downstream;
  if (!client) wire.client(Wire::request(1));
  client ? wire.client(GetParam().frames) : wire.server(GetParam().frames);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, GetParam().limit);
  EXPECT_EQ(limits[0].by, client ? faults::Peer::downstream : faults::Peer::upstream);
  EXPECT_EQ(goaway_code(client ? wire.to_client() : wire.to_server()), "ENHANCE_YOUR_CALM");
  EXPECT_TRUE(wire.session.demand());
}

const std::string bomb_block =
    hex("40 01") + "x" + hex("7f a11e") + std::string(4000, 'v') + std::string(100, '\xbe');
INSTANTIATE_TEST_SUITE_P(
    All, RelayRule12BoundOfBlocks,
    ::testing::Values(
        BoundCase{"octets", request_of(64 * 1024 + 10, 16), "field_block_bytes"},
        BoundCase{"continuations", request_of(1'000, 17), "continuations"},
        BoundCase{"list", frame(FrameType::headers, flag::end_headers, 1, bomb_block), "field_list_bytes"},
        BoundCase{"octets_of_a_server", request_of(64 * 1024 + 10, 16), "field_block_bytes", Side::upstream},
        BoundCase{"continuations_of_a_server", request_of(1'000, 17), "continuations", Side::upstream},
        BoundCase{"list_of_a_server", frame(FrameType::headers, flag::end_headers, 1, bomb_block),
                  "field_list_bytes", Side::upstream}),
    [](const auto& tested) { return tested.param.name; });

TEST(RelayRule12Bounds, AContinuationFlood) {
  Wire wire;
  wire.begin();
  std::string flood = frame(FrameType::headers, 0, 1, "");
  for (int i = 0; i < 1000; ++i) flood += frame(FrameType::continuation, 0, 1, "");
  wire.client(flood);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "continuations");
  EXPECT_EQ(limits[0].by, faults::Peer::downstream);
  ASSERT_TRUE(wire.session.demand());
  EXPECT_FALSE(wire.session.demand()->reset);
  EXPECT_EQ(goaway_code(wire.to_client()), "ENHANCE_YOUR_CALM");
  EXPECT_FALSE(wire.session.wants_input(Side::downstream));
}

TEST(RelayRule12Bounds, AnHpackBomb) {
  Wire wire;
  wire.begin();
  std::string bomb =
      hex("40 01") + "x" + hex("7f a11e") + std::string(4000, 'v') + std::string(10'000, '\xbe');
  wire.client(frame(FrameType::headers, flag::end_headers, 1, bomb));
  ASSERT_EQ(wire.seen<faults::LimitReached>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::LimitReached>()[0].limit, "field_list_bytes");
  EXPECT_TRUE(wire.session.demand());
}

TEST(RelayRule12Bounds, RapidReset) {
  Wire wire({.resets_per_second = 100});
  wire.begin();
  StreamId id = 1;
  for (int second = 0; second < 3; ++second) {
    for (int i = 0; i < 100; ++i, id += 2)
      wire.client(Wire::request(id, true) + Wire::reset(id, Http2Error::cancel));
    wire.now += 1s;
  }
  EXPECT_FALSE(wire.session.demand());
  for (int i = 0; i < 101; ++i, id += 2)
    wire.client(Wire::request(id, true) + Wire::reset(id, Http2Error::cancel));
  ASSERT_EQ(wire.seen<faults::LimitReached>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::LimitReached>()[0].limit, "resets_per_second");
  EXPECT_EQ(wire.session.live_calls(), 0u);
  EXPECT_EQ(wire.seen<faults::CallStarted>().size(), wire.seen<faults::CallEnded>().size());
}

TEST(RelayRule12Bounds, APeerThatMakesUsWriteAndNeverReads) {
  Wire wire({.queued_control_frames = 1000});
  wire.begin();
  // Each DATA on a closed stream has to be credited, towards the peer that sent it.
  wire.client(Wire::request(1) + Wire::reset(1, Http2Error::cancel));
  for (int i = 0; i < 2000 && !wire.session.demand(); ++i) wire.client(Wire::data(1, "x"));
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "queued_control_frames");
}

TEST(RelayRule12Bounds, TooManyOpenStreams) {
  Wire wire({.open_streams = 10});
  wire.begin();
  for (StreamId id = 1; id <= 21; id += 2) wire.client(Wire::request(id));
  ASSERT_EQ(wire.seen<faults::LimitReached>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::LimitReached>()[0].limit, "open_streams");
}

TEST(RelayRule12Bounds, UnreadOutputStopsTheReadingOfTheOtherPeer) {
  Wire wire;
  wire.begin();
  wire.server(Wire::window_update(0, 10'000'000));
  wire.client(Wire::request(1));
  wire.server(Wire::window_update(1, 10'000'000));
  const std::string chunk(16'384, 'x');
  int chunks = 0;
  while (wire.session.wants_input(Side::downstream) && chunks < 1000) {
    wire.client(Wire::data(1, chunk));
    ++chunks;
  }
  EXPECT_EQ(chunks, 16);
  EXPECT_TRUE(wire.session.wants_input(Side::upstream));
  wire.to_server();
  EXPECT_TRUE(wire.session.wants_input(Side::downstream));
  EXPECT_FALSE(wire.session.demand());
}

TEST(RelayRule12Bounds, HeldBytesBeyondTheBoundStopTheReading) {
  Wire wire({.queued_output_bytes = 100'000, .held_bytes = 50'000});
  wire.begin();
  wire.server(Wire::window_update(0, 10'000'000));
  wire.fault(Stage::request_message, faults::Hold{});
  wire.client(Wire::request(1));
  wire.to_server();
  const std::string message = grpc_message(std::string(10'000, 'x'));
  int messages = 0;
  while (wire.session.wants_input(Side::downstream) && messages < 1000) {
    wire.client(Wire::data(1, message));
    ++messages;
  }
  EXPECT_EQ(messages, 10);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "held_bytes");
  EXPECT_FALSE(wire.session.demand());
}

}  // namespace
}  // namespace breakwire::http2::testing
