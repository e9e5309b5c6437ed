// A reader that stops reading stalls its writer through the relay, in HTTP/2: at the last octet of its
// windows when it gives none back, and in bounded memory when they are wide open and it leaves its socket
// alone.
#include <future>

#include "tests/faults/relay/http2_peers.h"
#include "tests/faults/relay/memory.h"
#include "tests/faults/relay/relay_test.h"
#include "tests/faults/transparency/raw_octets.h"

namespace breakwire::relay::testing {
namespace {

namespace raw = http2::testing::raw;
using faults::Direction;

const faults::Metadata request{{":method", "POST"}, {":scheme", "http"},
                               {":path", "/s/M"},   {":authority", "server"},
                               {"te", "trailers"},  {"content-type", "application/grpc"}};
const faults::Metadata response{{":status", "200"}, {"content-type", "application/grpc"}};

std::string body_of(size_t size) {
  std::string body(size, '\0');
  for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 / 7);
  return grpc_message(body);
}

class FlowControlTest : public RelayTest, public ::testing::WithParamInterface<Direction> {
 protected:
  FlowControlTest()
      : client(dial(port), Endpoint::Role::client, {.manual_windows = GetParam() == Direction::response}),
        server(listener.accept(), Endpoint::Role::server,
               {.manual_windows = GetParam() == Direction::request}) {
    server.http2.on_request = [this](int32_t id) {
      if (GetParam() == Direction::response) server.http2.respond(id, response, body, {{"grpc-status", "0"}});
    };
  }

  Http2Peer& reader() { return GetParam() == Direction::request ? server : client; }
  int32_t call() { return client.http2.request(request, GetParam() == Direction::request ? body : ""); }
  size_t got(int32_t id) { return reader().http2.streams[id].body.size(); }
  bool run_until(const std::function<bool()>& done) { return testing::run_until(client, server, done); }
  /// What either had to say has arrived: PINGs that went behind it were answered.
  bool settle() {
    for (Http2Peer* peer : {&client, &server, &client}) {
      const size_t acks = peer->http2.ping_acks;
      peer->http2.ping(acks);
      if (!run_until([&] { return peer->http2.ping_acks > acks; })) return false;
    }
    return true;
  }
  /// The reader gives back what it has got of the call, over and over until that is everything.
  bool read_all(int32_t id) {
    return run_until([&] {
      nghttp2_session_consume(reader().http2.native(), id, got(id) - given_back[id]);
      given_back[id] = got(id);
      return got(id) == body.size();
    });
  }
  void expect_no_complaints() {
    EXPECT_EQ(client.http2.complaints, std::vector<std::string>{});
    EXPECT_EQ(server.http2.complaints, std::vector<std::string>{});
  }

  Listener listener;
  const uint16_t port = open(listener.port());
  const std::string body = body_of(8u << 20);
  Http2Peer client;
  Http2Peer server;
  std::map<int32_t, size_t> given_back;
};

TEST_P(FlowControlTest, AClosedConnectionWindowStopsEveryStreamAtItsLastOctet) {
  const int32_t first = call(), second = call();
  ASSERT_TRUE(run_until([&] { return got(first) + got(second) >= 65'535; }));
  const auto before = resident_bytes();
  ASSERT_TRUE(settle());
  EXPECT_EQ(got(first) + got(second), 65'535u);
  if (memory_is_telling) {
    EXPECT_LT(resident_bytes(), before + (1u << 20)) << "nothing of the 16 MiB is here";
  }
  // What was not given back of one stream is missed by the other too: both go on together.
  ASSERT_TRUE(run_until([&] {
    for (const int32_t id : {first, second}) {
      nghttp2_session_consume(reader().http2.native(), id, got(id) - given_back[id]);
      given_back[id] = got(id);
    }
    return got(first) == body.size() && got(second) == body.size();
  }));
  EXPECT_TRUE(reader().http2.streams[first].body == body);
  EXPECT_TRUE(reader().http2.streams[second].body == body);
  expect_no_complaints();
}

TEST_P(FlowControlTest, AClosedStreamWindowStopsThatStreamAlone) {
  nghttp2_session_set_local_window_size(reader().http2.native(), NGHTTP2_FLAG_NONE, 0, 64 << 20);
  const int32_t stopped = call(), other = call();
  ASSERT_TRUE(read_all(other));
  ASSERT_TRUE(settle());
  EXPECT_EQ(got(stopped), 65'535u);
  EXPECT_TRUE(reader().http2.streams[other].body == body);
  ASSERT_TRUE(read_all(stopped));
  EXPECT_TRUE(reader().http2.streams[stopped].body == body);
  expect_no_complaints();
}

INSTANTIATE_TEST_SUITE_P(Both, FlowControlTest, ::testing::Values(Direction::request, Direction::response),
                         [](const auto& tested) {
                           return tested.param == Direction::request ? "requests" : "responses";
                         });

/// Peers by hand, whose windows are as large as HTTP/2 allows: nothing but the sockets slows them.
class SlowReaderTest : public RelayTest, public ::testing::WithParamInterface<Direction> {
 protected:
  static std::string frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
    return raw::number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
           raw::number(stream, 4) + payload;
  }
  static std::string opening() {
    return frame(raw::SETTINGS, 0, 0, raw::number(raw::INITIAL_WINDOW, 2) + raw::number(raw::last_id, 4)) +
           frame(raw::WINDOW_UPDATE, 0, 0, raw::number(raw::last_id - 65'535, 4));
  }
  static std::string literal(std::string_view name, std::string_view value) {
    std::string out(1, '\0');
    for (const auto text : {name, value}) out.append(1, static_cast<char>(text.size())).append(text);
    return out;
  }
  /// Both have heard of each other's windows, and the call is under way.
  void begin() {
    const std::string ack = frame(raw::SETTINGS, raw::ACK, 0, "");
    const std::string fields =
        literal(":method", "POST") + literal(":path", "/s/M") + literal(":scheme", "http");
    const std::string asked = frame(raw::HEADERS, raw::END_HEADERS, 1, fields);
    const std::string answered = frame(raw::HEADERS, raw::END_HEADERS, 1, "\x88");
    ASSERT_TRUE(client.send(std::string(raw::preface) + opening()));
    ASSERT_TRUE(server.send(opening()));
    ASSERT_EQ(server.receive(raw::preface.size() + opening().size()), std::string(raw::preface) + opening());
    ASSERT_EQ(client.receive(opening().size()), opening());
    ASSERT_TRUE(client.send(ack + asked));
    ASSERT_EQ(server.receive(ack.size() + asked.size()), ack + asked);
    ASSERT_TRUE(server.send(ack + answered));
    ASSERT_EQ(client.receive(ack.size() + answered.size()), ack + answered);
  }

  Listener listener;
  const uint16_t port = open(listener.port());
  Socket client = dial(port);
  Socket server = listener.accept();
};

TEST_P(SlowReaderTest, SlowsItsWriterInBoundedMemoryAndThenGetsEveryOctet) {
  ASSERT_NO_FATAL_FAILURE(begin());
  Socket& writer = GetParam() == Direction::request ? client : server;
  Socket& reader = GetParam() == Direction::request ? server : client;
  std::string chunk(16'384, '\0');
  for (size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<char>(i * 31 / 7);
  const std::string pattern = frame(raw::DATA, 0, 1, chunk);
  constexpr size_t frames = 4096;  // 64 MiB
  const size_t size = frames * pattern.size();

  const auto before = resident_bytes();
  const size_t stuck_at = writer.send_until_stuck(pattern, size, 200ms);
  // Two hops of kernel buffers, which grow to 4 + 6 MiB each by default, and the relay's queue.
  EXPECT_LT(stuck_at, 32u << 20);
  if (memory_is_telling) {
    EXPECT_LT(resident_bytes(), before + (4u << 20));
  }

  auto rest = std::async(std::launch::async, [&] {
    for (size_t sent = stuck_at; sent < size;) {
      const auto piece = std::string_view(pattern).substr(sent % pattern.size(), size - sent);
      if (!writer.send(piece)) return false;
      sent += piece.size();
    }
    return true;
  });
  for (size_t octets = 0; octets < frames * chunk.size();) {
    const std::string header = reader.receive(9);
    ASSERT_EQ(header.size(), 9u);
    const size_t length = raw::number_in(header, 0, 3);
    ASSERT_EQ(header[3], raw::DATA);
    const std::string data = reader.receive(length);
    ASSERT_EQ(data.size(), length);
    for (size_t at = 0; at < length;) {
      const auto expected = std::string_view(chunk).substr((octets + at) % chunk.size(), length - at);
      ASSERT_TRUE(std::string_view(data).substr(at, expected.size()) == expected)
          << "after octet " << octets + at;
      at += expected.size();
    }
    octets += length;
  }
  EXPECT_TRUE(rest.get());
  if (memory_is_telling) {
    EXPECT_LT(resident_bytes(), before + (4u << 20));
  }
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty());
}

INSTANTIATE_TEST_SUITE_P(Both, SlowReaderTest, ::testing::Values(Direction::request, Direction::response),
                         [](const auto& tested) {
                           return tested.param == Direction::request ? "requests" : "responses";
                         });

}  // namespace
}  // namespace breakwire::relay::testing
