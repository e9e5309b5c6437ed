// Without faults the relay is not there: plain TCP, over real sockets.
#include <sys/stat.h>

#include <cstdlib>
#include <future>
#include <random>
#include <set>

#include "faults/relay/port_reservation.h"
#include "tests/faults/relay/memory.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

class TransparencyTest : public RelayTest {
 protected:
  void connect(EdgeProtocol protocol = EdgeProtocol::detect) {
    port = open(upstream.port(), protocol);
    client = dial(port);
    server = upstream.accept();
  }

  Listener upstream;
  uint16_t port = 0;
  Socket client;
  Socket server;
};

TEST_F(TransparencyTest, CarriesBytesBothWaysAndNamesThePlainProtocol) {
  connect();
  ASSERT_TRUE(client.send("hello"));
  EXPECT_EQ(server.receive(5), "hello");
  ASSERT_TRUE(server.send("world!"));
  EXPECT_EQ(client.receive(6), "world!");
  const auto accepted = recorder.wait_for<faults::ConnectionAccepted>().front();
  EXPECT_EQ(accepted.edge, edge);
  const auto detected = recorder.wait_for<faults::ProtocolDetected>().front();
  EXPECT_EQ(detected.protocol, faults::Protocol::tcp);
  EXPECT_EQ(detected.connection, accepted.connection);
}

TEST_F(TransparencyTest, LetsAServerSpeakFirst) {
  connect();
  ASSERT_TRUE(server.send("220 ready\r\n"));
  EXPECT_EQ(client.receive(11), "220 ready\r\n");
  ASSERT_TRUE(client.send("PRI is a word too"));
  EXPECT_EQ(server.receive(17), "PRI is a word too");
  EXPECT_EQ(recorder.wait_for<faults::ProtocolDetected>().front().protocol, faults::Protocol::tcp);
}

TEST_F(TransparencyTest, KeepsTheSettingsOfAnHttp2ServerUntilItsClientHasSpoken) {
  connect();
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  ASSERT_TRUE(server.send(settings));
  EXPECT_TRUE(client.silent());
  const auto opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings;
  ASSERT_TRUE(client.send(opening));
  EXPECT_EQ(client.receive(9), settings);
  EXPECT_EQ(server.receive(opening.size()), opening);
  EXPECT_EQ(recorder.wait_for<faults::ProtocolDetected>().front().protocol, faults::Protocol::http2);
}

TEST_F(TransparencyTest, DialsBeforeTheClientHasSaidAnything) {
  connect();  // the upstream accepts although neither has sent a byte
  EXPECT_TRUE(recorder.all<faults::ProtocolDetected>().empty());
}

TEST_F(TransparencyTest, NamesTls) {
  connect();
  const std::string hello("\x16\x03\x01\x00\x05\x01rest", 10);
  ASSERT_TRUE(client.send(hello));
  EXPECT_EQ(server.receive(hello.size()), hello);
  EXPECT_EQ(recorder.wait_for<faults::ProtocolDetected>().front().protocol, faults::Protocol::tls);
}

TEST_F(TransparencyTest, LosesNothingOfWhatOnlyBeganLikeHttp2) {
  connect();
  ASSERT_TRUE(client.send("PRI * HT"));
  EXPECT_TRUE(server.silent());
  ASSERT_TRUE(client.send("ML"));
  EXPECT_EQ(server.receive(10), "PRI * HTML");
}

TEST_F(TransparencyTest, LooksForNothingOnAnEdgeDeclaredTcp) {
  connect(EdgeProtocol::tcp);
  ASSERT_TRUE(client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  EXPECT_EQ(server.receive(24), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(recorder.wait_for<faults::ProtocolDetected>().front().protocol, faults::Protocol::tcp);
}

TEST_F(TransparencyTest, MirrorsAHalfClose) {
  connect();
  ASSERT_TRUE(client.send("question"));
  client.send_fin();
  EXPECT_EQ(server.receive(8), "question");
  EXPECT_EQ(server.receive_end(), 0);
  ASSERT_TRUE(server.send("answer"));  // the other direction still works
  EXPECT_EQ(client.receive(6), "answer");
  EXPECT_TRUE(client.silent());
  server.close();
  EXPECT_EQ(client.receive_end(), 0);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::downstream);
  EXPECT_FALSE(ended.reset);
  EXPECT_TRUE(ended.fault.empty());
}

TEST_F(TransparencyTest, MirrorsAFinOfAServerThatSaysNothing) {
  connect();
  server.close();
  EXPECT_EQ(client.receive_end(), 0);
  client.close();
  EXPECT_EQ(wait_for_end().by, faults::Peer::upstream);
  EXPECT_TRUE(recorder.all<faults::ProtocolDetected>().empty());  // nobody said a word
}

TEST_F(TransparencyTest, MirrorsAResetOfTheServer) {
  connect();
  ASSERT_TRUE(client.send("x"));
  ASSERT_EQ(server.receive(1), "x");
  server.reset();
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::upstream);
  EXPECT_TRUE(ended.reset);
}

TEST_F(TransparencyTest, MirrorsAResetOfTheClientBeforeAnythingWasSaid) {
  connect();
  client.reset();
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(wait_for_end().by, faults::Peer::downstream);
}

TEST_F(TransparencyTest, DeliversWhatWasSentBeforeAReset) {
  connect();
  ASSERT_TRUE(client.send("x"));
  ASSERT_EQ(server.receive(1), "x");
  ASSERT_TRUE(server.send("FATAL: too many clients"));
  server.reset();
  EXPECT_EQ(client.receive(23), "FATAL: too many clients");
  EXPECT_EQ(client.receive_end(), ECONNRESET);
}

TEST_F(TransparencyTest, ResetsTheCallerWhoseUpstreamRefuses) {
  port = open(upstream.port());
  upstream.close();
  client = dial(port);
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  const auto refused = recorder.wait_for<faults::UpstreamRefused>().front();
  EXPECT_EQ(refused.error, "Connection refused");
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::upstream);
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(ended.connection, refused.connection);
}

TEST_F(TransparencyTest, DialsTheNewAddressAfterRedirectAndKeepsTheOldConnection) {
  connect();
  Listener elsewhere;
  network->redirect(edge, TcpAddress{.port = elsewhere.port()});
  auto second = dial(port);
  auto there = elsewhere.accept();
  ASSERT_TRUE(second.send("new"));
  EXPECT_EQ(there.receive(3), "new");
  ASSERT_TRUE(client.send("old"));
  EXPECT_EQ(server.receive(3), "old");
}

TEST_F(TransparencyTest, ListensOnThePortItIsTold) {
  const auto wanted = PortReservation().port();
  EXPECT_EQ(open({.id = edge, .listen = {.port = wanted}, .upstream = TcpAddress{.port = upstream.port()}}),
            wanted);
  client = dial(wanted);
  server = upstream.accept();
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(server.receive(1), "x");
}

TEST_F(TransparencyTest, SpeaksToAnUpstreamOnAUnixPath) {
  std::string folder = ::testing::TempDir() + "relay-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto path = folder + "/.s.PGSQL.5432";
  {
    Listener database(path);
    client = dial(open({.id = edge, .upstream = UnixAddress{path}}));
    server = database.accept();
    ASSERT_TRUE(client.send("startup"));
    EXPECT_EQ(server.receive(7), "startup");
    ASSERT_TRUE(server.send("ready"));
    EXPECT_EQ(client.receive(5), "ready");
    server.close();
    EXPECT_EQ(client.receive_end(), 0);
    client.close();
    wait_for_end();
  }
  client = dial(network->open({.id = {"other"}, .upstream = UnixAddress{path}}).port);
  EXPECT_EQ(client.receive_end(), ECONNRESET);  // the path is there, nobody listens on it
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

TEST_F(TransparencyTest, SlowsAFastWriterToTheReadersPaceInBoundedMemory) {
  constexpr size_t size = 64u << 20;
  std::string pattern((1 << 20) + 7, '\0');
  std::minstd_rand random(1);
  for (auto& byte : pattern) byte = static_cast<char>(random());
  connect(EdgeProtocol::tcp);

  const auto before = resident_bytes();
  const auto stuck_at = client.send_until_stuck(pattern, size, 200ms);  // the server reads nothing
  // Two hops of kernel buffers, which grow to 4 + 6 MiB each by default, and the relay's queue.
  EXPECT_LT(stuck_at, 32u << 20);
  if (memory_is_telling) {
    EXPECT_LT(resident_bytes(), before + (8u << 20));
  }

  auto rest = std::async(std::launch::async, [&] {
    for (size_t sent = stuck_at; sent < size;) {
      const auto piece = std::string_view(pattern).substr(sent % pattern.size(), size - sent);
      if (!client.send(piece)) return false;
      sent += piece.size();
    }
    client.send_fin();
    return true;
  });
  size_t received = 0;
  while (received < size) {
    const auto expected = std::string_view(pattern).substr(received % pattern.size(), size - received);
    const auto part = server.receive(expected.size());
    ASSERT_TRUE(part == expected) << "differs somewhere after byte " << received;
    received += part.size();
  }
  EXPECT_TRUE(rest.get());
  EXPECT_EQ(server.receive_end(), 0);
  if (memory_is_telling) {
    EXPECT_LT(resident_bytes(), before + (8u << 20));
  }
}

TEST_F(TransparencyTest, NoticesAResetWhileTheOtherSideDoesNotRead) {
  connect(EdgeProtocol::tcp);
  const std::string chunk(1 << 20, 'x');
  client.send_until_stuck(chunk, 64u << 20, 200ms);
  client.reset();  // behind megabytes that the relay cannot pass on
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::downstream);
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(server.drain(), ECONNRESET);
}

TEST_F(TransparencyTest, TellsExactlyOneEndForEveryAcceptedConnection) {
  port = open(upstream.port());
  constexpr size_t count = 50;
  for (size_t index = 0; index < count; ++index) {
    client = dial(port);
    server = upstream.accept();
    ASSERT_TRUE(client.send("x"));
    ASSERT_EQ(server.receive(1), "x");
    if (index % 2 == 0) {
      client.close();
    } else {
      server.reset();
      EXPECT_EQ(client.receive_end(), ECONNRESET);
    }
  }
  client.close();
  server.close();
  recorder.wait_for<faults::ConnectionEnded>(count);
  network.reset();
  const auto accepted = recorder.all<faults::ConnectionAccepted>();
  const auto ended = recorder.all<faults::ConnectionEnded>();
  ASSERT_EQ(accepted.size(), count);
  ASSERT_EQ(ended.size(), count);
  std::set<ConnectionId> ids;
  for (const auto& one : ended) ids.insert(one.connection);
  EXPECT_EQ(ids.size(), count);
}

TEST_F(TransparencyTest, EndsWhatIsLeftWhenTheNetworkGoes) {
  connect();
  network.reset();
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive_end(), 0);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  int error = 0;
  dial(port, error);
  EXPECT_EQ(error, ECONNREFUSED);
}

TEST_F(TransparencyTest, MeasuresItsOwnOverhead) {
  connect();
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(client.send("ping"));
    ASSERT_EQ(server.receive(4), "ping");
  }
  const auto overhead = network->overhead();
  EXPECT_GE(overhead.samples, 100u);
  EXPECT_GT(overhead.p50_us, 0);
  EXPECT_LE(overhead.p50_us, overhead.p99_us);
  EXPECT_LE(overhead.p99_us, overhead.max_us);
}

}  // namespace
}  // namespace breakwire::relay::testing
