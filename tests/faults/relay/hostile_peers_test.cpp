// What peers and a poor environment may do to the relay without ending it.
#include <sys/resource.h>

#include <thread>

#include "faults/http2/settings.h"
#include "tests/faults/http2/bytes.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

class HostilePeersTest : public RelayTest {};

TEST_F(HostilePeersTest, EndsAClientThatStopsInTheMiddleOfThePreface) {
  Listener upstream;
  const auto port =
      open({.id = edge, .upstream = TcpAddress{.port = upstream.port()}, .handshake_timeout = 100ms});
  auto client = dial(port);
  auto server = upstream.accept();
  ASSERT_TRUE(client.send("PRI * HTTP/2.0\r\n"));
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive_end(), 0);
  const auto limit = recorder.wait_for<faults::LimitReached>().front();
  EXPECT_EQ(limit.limit, "handshake_timeout");
  EXPECT_EQ(limit.by, faults::Peer::downstream);
  EXPECT_EQ(wait_for_end().by, faults::Peer::relay);
}

TEST_F(HostilePeersTest, SaysGoawayAndFinToAClientThatFloods) {
  Listener upstream;
  auto client = dial(open(upstream.port()));
  auto server = upstream.accept();
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  const std::string open_block("\0\0\0\1\0\0\0\0\1", 9);  // HEADERS on stream 1, not the end of its block
  const std::string continuation("\0\0\0\x09\0\0\0\0\1", 9);
  const auto opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings;
  ASSERT_TRUE(client.send(opening));
  ASSERT_TRUE(server.send(settings));
  ASSERT_EQ(client.receive(9), settings);
  std::string flood = open_block;
  for (int count = 0; count < 100; ++count) flood += continuation;
  ASSERT_TRUE(client.send(flood));
  const auto limit = recorder.wait_for<faults::LimitReached>().front();
  EXPECT_EQ(limit.limit, "continuations");
  EXPECT_EQ(limit.by, faults::Peer::downstream);
  const auto goaway = client.receive(17);
  ASSERT_EQ(goaway.size(), 17u);
  EXPECT_EQ(goaway[3], 7);
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive(opening.size()), opening);
  EXPECT_EQ(server.receive_end(), 0);  // nothing of the call
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  EXPECT_FALSE(ended.reset);
}

// Both sides here are the test's: the relay reads from a server faster than it can write to its client.
TEST_F(HostilePeersTest, LosesNothingThatCameForAClientThatReadsLate) {
  using http2::FrameType;
  using http2::testing::frame;
  using http2::testing::settings_frame;
  Listener upstream;
  auto client = dial(open(upstream.port()));
  ASSERT_TRUE(client.send(std::string(http2::client_preface) + settings_frame()));
  auto server = upstream.accept();
  ASSERT_TRUE(server.send(settings_frame()));
  EXPECT_EQ(client.receive(9), settings_frame());
  const std::string increment = frame(FrameType::window_update, 0, 0, http2::testing::hex("00000001"));
  const size_t sent = server.send_until_stuck(increment, 64u << 20, 300ms);
  ASSERT_LT(sent, 64u << 20) << "the relay has read on";
  const size_t frames = sent / increment.size() + 1;
  std::thread rest([&] {
    server.send(increment.substr(sent % increment.size()) + frame(FrameType::ping, 0, 0, "the last"));
    server.send_fin();
  });
  size_t opened = 0;
  std::string last;
  for (std::string header = client.receive(9); header.size() == 9; header = client.receive(9)) {
    const auto read = http2::parse_frame_header(http2::testing::bytes_of(header).data());
    const std::string payload = client.receive(read.length);
    if (read.type == FrameType::window_update)
      opened += http2::read_u32(http2::testing::bytes_of(payload).data());
    if (read.type == FrameType::ping) last = payload;
  }
  rest.join();
  EXPECT_EQ(opened, frames);
  EXPECT_EQ(last, "the last");
  EXPECT_EQ(recorder.all<faults::LimitReached>().size(), 0u);
}

TEST_F(HostilePeersTest, LeavesASilentClientAloneForItMayWaitForItsServer) {
  Listener upstream;
  const auto port =
      open({.id = edge, .upstream = TcpAddress{.port = upstream.port()}, .handshake_timeout = 20ms});
  auto client = dial(port);
  auto server = upstream.accept();
  EXPECT_TRUE(client.silent());
  ASSERT_TRUE(server.send("at last"));
  EXPECT_EQ(client.receive(7), "at last");
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty());
}

TEST_F(HostilePeersTest, PassesOnWhatBeganLikeTlsAndWentNoFurther) {
  Listener upstream;
  const auto port =
      open({.id = edge, .upstream = TcpAddress{.port = upstream.port()}, .handshake_timeout = 20ms});
  auto client = dial(port);
  auto server = upstream.accept();
  ASSERT_TRUE(client.send("\x16"));
  EXPECT_EQ(server.receive(1), "\x16");
}

/// Lowers the limit of descriptors, and gives it back.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t soft) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lowered{.rlim_cur = soft, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &lowered);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(HostilePeersTest, LetsCallersWaitInTheBacklogWhenDescriptorsRunOut) {
  Listener upstream;
  const auto port = open(upstream.port());
  auto client = dial(port);  // the test's own socket exists before the shortage
  auto first = upstream.accept();
  auto waiting = Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    const FewDescriptors shortage(3);
    const auto address = loopback(port);
    ASSERT_EQ(::connect(waiting.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const auto limit = recorder.wait_for<faults::LimitReached>().front();
    EXPECT_EQ(limit.limit, "descriptors");
    EXPECT_EQ(limit.by, faults::Peer::relay);
    ASSERT_TRUE(client.send("the others go on"));
    EXPECT_EQ(first.receive(16), "the others go on");
  }
  auto second = upstream.accept();
  ASSERT_TRUE(waiting.send("served"));
  EXPECT_EQ(second.receive(6), "served");
  EXPECT_EQ(recorder.all<faults::LimitReached>().size(), 1u);
}

TEST_F(HostilePeersTest, RefusesToListenWhereSomebodyElseDoes) {
  Listener upstream;
  EXPECT_ANY_THROW(open({.id = edge, .listen = {.port = upstream.port()}, .upstream = TcpAddress{}}));
  EXPECT_ANY_THROW(open({.id = edge, .listen = {.host = "192.0.2.1"}, .upstream = TcpAddress{}}));
  EXPECT_NO_THROW(open(upstream.port()));
}

}  // namespace
}  // namespace breakwire::relay::testing
