// `corrupt` byte for byte: what raw sockets sent against what raw sockets got, on plain TCP and on HTTP/2.
#include "faults/http2/frame.h"
#include "tests/faults/relay/connected_test.h"
#include "tests/faults/relay/real_kinds.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;

class CorruptTest : public ConnectedTest {
 protected:
  std::unique_ptr<ActiveFault> corrupt(const std::string& with, faults::Match match = {}) {
    return arm("corrupt", of_kind("corrupt", with), std::move(match));
  }
  void expect_passes(std::string_view text) {
    ASSERT_TRUE(client.send(text));
    EXPECT_EQ(server.receive(text.size()), text);
  }
  void expect_held_and_corrupted_once(std::unique_ptr<ActiveFault> stall) {
    ASSERT_TRUE(client.send("abcd"));
    recorder.wait_for<faults::FaultHit>();
    EXPECT_TRUE(server.silent());
    stall.reset();
    ASSERT_TRUE(client.send("ef"));
    EXPECT_EQ(server.receive(6), "abCDEF");
  }
};

TEST_F(CorruptTest, FlipsItsBitsOfItsBytesWhereverTheReadsEnd) {
  expect_passes("before");
  const auto bits = corrupt(R"({"layer": "payload", "skip": "5B", "every": "10B", "bits": [5]})");
  expect_passes("01234");
  EXPECT_EQ(bits->tally(), (faults::FaultTally{.eligible = 1, .hits = 0})) << "none was hit";
  std::string sent, expected;
  for (int number = 0; number < 40; ++number) {
    sent = "ABC";
    ASSERT_TRUE(client.send(sent));
    for (char& letter : sent) {
      if (expected.size() % 10 == 0) letter = static_cast<char>(letter ^ 0x20);
      expected += letter;
    }
  }
  EXPECT_EQ(server.receive(expected.size()), expected);
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "corrupt");
  EXPECT_EQ(bits->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_EQ(recorder.all<faults::FaultHit>().size(), 1u);
}

TEST_F(CorruptTest, LeavesTheOtherDirectionAndStopsWhenItIsOver) {
  expect_passes("before");
  auto bits = corrupt(R"({"layer": "bytes", "every": "1B", "bits": [5]})", {.direction = Direction::request});
  ASSERT_TRUE(client.send("loud"));
  EXPECT_EQ(server.receive(4), "LOUD");
  ASSERT_TRUE(server.send("quiet"));
  EXPECT_EQ(client.receive(5), "quiet");
  bits.reset();
  expect_passes("as it is");
}

TEST_F(CorruptTest, HitsEachByteOnceWhenALaterFaultHolds) {
  expect_passes("before");
  const auto bits = corrupt(R"({"layer": "bytes", "skip": "2B", "every": "1B", "bits": [5]})");
  expect_held_and_corrupted_once(arm("stall", of_kind("stall")));
}

TEST_F(CorruptTest, HitsWhatAnEarlierFaultHeldWhenItFlows) {
  expect_passes("before");
  auto stall = arm("stall", of_kind("stall"));
  const auto bits = corrupt(R"({"layer": "bytes", "skip": "2B", "every": "1B", "bits": [5]})");
  expect_held_and_corrupted_once(std::move(stall));
}

TEST_F(CorruptTest, NeverFiresWhereItsLayerDoesNotExist) {
  expect_passes("before");
  const auto bits = corrupt(R"({"layer": "frame_header", "every": "1B"})");
  expect_passes("no frames at all");
  EXPECT_EQ(bits->tally(), (faults::FaultTally{.eligible = 1, .hits = 0}));
  EXPECT_TRUE(recorder.all<faults::FaultHit>().empty());
}

/// What a client says first: the preface, SETTINGS, and a call in three DATA frames.
struct Opening {
  Opening() {
    bytes = http2::client_preface;
    add(http2::FrameType::settings, 0, 0, "", 0);
    // :method POST, :scheme http, :path /, and literal fields, never indexed (RFC 7541 §6.2.3)
    add(http2::FrameType::headers, http2::flag::end_headers, 1, std::string("\x83\x86\x84\x10\x01x\x01y", 8),
        1);
    for (const char* data : {"first", "second", ""}) add(http2::FrameType::data, *data == 0, 1, data, 2);
  }
  void add(http2::FrameType type, uint8_t flags, StreamId stream, const std::string& content, int layer) {
    headers.push_back(bytes.size());
    http2::append_frame(bytes, type, flags, stream,
                        {reinterpret_cast<const uint8_t*>(content.data()), content.size()});
    for (size_t i = bytes.size() - content.size(); i < bytes.size(); ++i) {
      if (layer == 1) block.push_back(i);
      if (layer == 2) payload.push_back(i);
    }
  }
  std::string bytes;
  std::vector<size_t> headers, block, payload;  // places: of frames, and of the bytes of a layer
};

class CorruptHttp2Test : public CorruptTest {
 protected:
  /// What the server gets of the opening: as it was, but for the bytes it answers the places of.
  std::vector<size_t> changed(const std::string& with, uint8_t mask) {
    const auto bits = corrupt(with, {.direction = Direction::request});
    // Frame by frame, so that DATA is not forwarded in more pieces than it was sent in.
    for (size_t i = 0, at = 0; at < opening.bytes.size(); ++i) {
      const size_t end = i < opening.headers.size() ? opening.headers[i] : opening.bytes.size();
      EXPECT_TRUE(client.send(std::string_view(opening.bytes).substr(at, end - at)));
      at = end;
    }
    const std::string got = server.receive(opening.bytes.size());
    EXPECT_EQ(got.size(), opening.bytes.size());
    std::vector<size_t> places;
    for (size_t i = 0; i < got.size(); ++i) {
      if (got[i] == opening.bytes[i]) continue;
      EXPECT_EQ(static_cast<uint8_t>(got[i] ^ opening.bytes[i]), mask);
      places.push_back(i);
    }
    EXPECT_EQ(bits->tally(), (faults::FaultTally{.eligible = 1, .hits = places.empty() ? 0u : 1u}));
    return places;
  }
  const Opening opening;
};

TEST_F(CorruptHttp2Test, OfThePayloadHitsDataAndNothingElse) {
  EXPECT_EQ(changed(R"({"layer": "payload", "every": "1B", "bits": [0, 7]})", 0x81), opening.payload);
}

TEST_F(CorruptHttp2Test, CountsThePayloadAcrossFrames) {
  EXPECT_EQ(changed(R"({"layer": "payload", "skip": "6B"})", 1), std::vector{opening.payload[6]});
}

TEST_F(CorruptHttp2Test, OfTheFieldBlockHitsNoFrameHeader) {
  EXPECT_EQ(changed(R"({"layer": "field_block", "every": "1B"})", 1), opening.block);
}

TEST_F(CorruptHttp2Test, OfFrameHeadersHitsTheSameOctetOfEachOne) {
  std::vector<size_t> flags;
  for (const size_t header : opening.headers) flags.push_back(header + 4);
  EXPECT_EQ(changed(R"({"layer": "frame_header", "skip": "4B", "every": "9B", "bits": [6]})", 0x40), flags);
}

TEST_F(CorruptHttp2Test, OfBytesHitsThePrefaceToo) {
  EXPECT_EQ(changed(R"({"layer": "bytes", "skip": "3B", "every": "1000000B"})", 1), std::vector<size_t>{3});
}

}  // namespace
}  // namespace breakwire::relay::testing
