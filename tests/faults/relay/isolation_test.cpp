// Paths without packets, as the peers' kernels see them: what is not acknowledged, what comes of it, and how
// it heals. The witnesses are raw sockets, and what the kernel says of them.
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/faults/relay/isolation.h"

namespace breakwire::relay::testing {
namespace {

/// A user and network namespace of our own, for who may not drop packets in the one we came from. Where there
/// can be none either, tests are skipped.
class OwnNamespace : public ::testing::Environment {
 public:
  void SetUp() override {
    if (packets_can_be_lost_here()) return;
    const auto who = "0 " + std::to_string(::getuid()) + " 1";
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return;
    std::ofstream("/proc/self/uid_map") << who;  // or no file could be made
    const Socket any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq lo{};
    std::strcpy(lo.ifr_name, "lo");
    ::ioctl(any.fd(), SIOCGIFFLAGS, &lo);
    lo.ifr_flags |= IFF_UP;
    EXPECT_EQ(::ioctl(any.fd(), SIOCSIFFLAGS, &lo), 0);
  }
};
[[maybe_unused]] const auto* const own_namespace = ::testing::AddGlobalTestEnvironment(new OwnNamespace);

/// Has sent its SYN and waits, as a client without a time-out does.
Socket begin_dialling(uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto address = loopback(port);
  ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return socket;
}

void give_up_after(const Socket& socket, std::chrono::milliseconds time) {
  const auto patience_ms = static_cast<unsigned>(time.count());
  EXPECT_EQ(::setsockopt(socket.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms), 0);
}

const std::string pattern = "0123456789abcdefghijklmnopqrstuvwxyz!";
std::string pattern_of(size_t size) {
  std::string text;
  while (text.size() < size) text += pattern;
  text.resize(size);
  return text;
}

class IsolationTest : public Connected {
 protected:
  void SetUp() override {
    if (!packets_can_be_lost_here())
      GTEST_SKIP() << "no packets can be dropped here: CAP_NET_ADMIN is missing";
    connect();
  }
};

TEST_F(IsolationTest, WhatABlackholeSwallowsArrivesNowhereAndIsNotAcknowledged) {
  const auto fault = blackhole();
  ASSERT_TRUE(client.send("lost"));
  ASSERT_TRUE(server.send("lost"));
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(client.silent());
  EXPECT_GT(client.info().tcpi_unacked, 0u);
  EXPECT_GT(server.info().tcpi_unacked, 0u);
  EXPECT_EQ(actions(), "isolate ");
  EXPECT_EQ(fault->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(IsolationTest, ABlackholeEndsInEtimedoutUnderTcpUserTimeout) {
  give_up_after(client, 300ms);
  give_up_after(server, 300ms);
  const auto fault = blackhole();
  ASSERT_TRUE(client.send("lost"));
  ASSERT_TRUE(server.send("lost"));
  EXPECT_EQ(client.receive_end(), ETIMEDOUT);
  EXPECT_EQ(server.receive_end(), ETIMEDOUT);
}

TEST_F(IsolationTest, RetransmissionHealsABlackholeWithoutALostByte) {
  auto fault = blackhole();
  const size_t asked = client.send_until_stuck(pattern, 300'000, glance);
  const size_t answered = server.send_until_stuck(pattern, 300'000, glance);
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(client.silent());
  fault.reset();
  EXPECT_TRUE(server.receive(asked) == pattern_of(asked));
  EXPECT_TRUE(client.receive(answered) == pattern_of(answered));
  ASSERT_TRUE(client.send("more"));
  EXPECT_EQ(server.receive(4), "more");
  EXPECT_TRUE(all_acknowledged(client));
  EXPECT_TRUE(all_acknowledged(server));
  EXPECT_TRUE(recorder.all<faults::ConnectionEnded>().empty());
}

TEST_F(IsolationTest, ASynIsNotAnsweredUntilTheBlackholeIsOver) {
  auto fault = blackhole();
  auto impatient = begin_dialling(port);
  give_up_after(impatient, 300ms);
  auto waiting = begin_dialling(port);
  ASSERT_TRUE(impatient.ready(POLLOUT, patience));
  EXPECT_EQ(impatient.receive_end(), ETIMEDOUT);
  EXPECT_EQ(waiting.info().tcpi_state, TCP_SYN_SENT);
  EXPECT_TRUE(upstream.nobody_connects());
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>(2).back().connection, ConnectionId{}) << "the listener";
  EXPECT_EQ(fault->tally(), (faults::FaultTally{.eligible = 2, .hits = 2}));
  fault.reset();
  ASSERT_TRUE(waiting.ready(POLLOUT, patience));  // the SYN was sent again
  EXPECT_EQ(waiting.info().tcpi_state, TCP_ESTABLISHED);
  auto served = upstream.accept();
  ASSERT_TRUE(waiting.send("x"));
  EXPECT_EQ(served.receive(1), "x");
}

TEST_F(IsolationTest, AHalfOpenRequestWayLeavesTheAnswersTheirs) {
  auto fault = half_open("request");
  ASSERT_TRUE(server.send("answer"));
  EXPECT_EQ(client.receive(6), "answer");
  ASSERT_TRUE(client.send("lost"));
  EXPECT_TRUE(server.silent());
  EXPECT_GT(client.info().tcpi_unacked, 0u);
  fault.reset();
  EXPECT_EQ(server.receive(4), "lost");
}

TEST_F(IsolationTest, AHalfOpenResponseWayLetsTheServiceWorkUnheard) {
  auto fault = half_open("response");
  ASSERT_TRUE(client.send("order"));
  EXPECT_EQ(server.receive(5), "order");
  give_up_after(server, 300ms);
  ASSERT_TRUE(server.send("lost"));
  EXPECT_EQ(server.receive_end(), ETIMEDOUT);
  EXPECT_TRUE(client.silent(0ms));
}

TEST_F(IsolationTest, ASynIsNotAnsweredWhicheverWayIsDead) {
  for (const char* direction : {"request", "response"}) {
    const auto fault = half_open(direction);
    const auto waiting = begin_dialling(port);
    EXPECT_FALSE(waiting.ready(POLLOUT, glance)) << direction;
    EXPECT_EQ(waiting.info().tcpi_state, TCP_SYN_SENT) << direction;
  }
}

TEST_F(IsolationTest, ForExistingConnectionsTheListenerGoesOn) {
  const auto fault = blackhole({.connections = faults::Connections::existing});
  ASSERT_TRUE(client.send("lost"));
  EXPECT_TRUE(server.silent());
  auto fresh = dial(port);
  auto served = upstream.accept();
  ASSERT_TRUE(fresh.send("passes"));
  EXPECT_EQ(served.receive(6), "passes");
  EXPECT_EQ(fault->tally().hits, 1u);
  EXPECT_EQ(fault->tally().eligible, 1u);
}

TEST_F(IsolationTest, ForNewConnectionsTheExistingGoOn) {
  auto fault = blackhole({.connections = faults::Connections::fresh});
  ASSERT_TRUE(client.send("passes"));
  EXPECT_EQ(server.receive(6), "passes");
  EXPECT_EQ(fault->tally(), faults::FaultTally{}) << "nobody has met it";
  EXPECT_FALSE(begin_dialling(port).ready(POLLOUT, glance));
  EXPECT_EQ(fault->heal().tally, (faults::FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_EQ(actions(), "isolate ");
}

TEST_F(IsolationTest, WhoDialledBeforeTheFaultIsNoHitOfIt) {
  auto first = blackhole({.connections = faults::Connections::fresh});
  EXPECT_FALSE(begin_dialling(port).ready(POLLOUT, glance));
  recorder.wait_for<faults::FaultHit>();
  auto second = half_open("request", {.connections = faults::Connections::fresh});
  EXPECT_EQ(second->heal().tally, faults::FaultTally{});
}

TEST_F(IsolationTest, AWayIsDeadUntilTheLastFaultThatWantsItSoIsOver) {
  auto both = blackhole();
  auto one = half_open("request");
  ASSERT_TRUE(client.send("asked"));
  ASSERT_TRUE(server.send("answered"));
  EXPECT_TRUE(client.silent());
  both.reset();
  EXPECT_EQ(client.receive(8), "answered");
  EXPECT_TRUE(server.silent());
  EXPECT_FALSE(begin_dialling(port).ready(POLLOUT, glance));
  one.reset();
  EXPECT_EQ(server.receive(5), "asked");
}

TEST_F(IsolationTest, AListenerThatWasClosedMeanwhileIsStillDeafWhenItIsBack) {
  auto fault = blackhole();
  auto refuse = arm("refuse", of_kind("refuse"));
  int error = 0;
  dial(port, error);
  EXPECT_EQ(error, ECONNREFUSED);
  refuse.reset();
  const auto waiting = begin_dialling(port);
  EXPECT_FALSE(waiting.ready(POLLOUT, glance));
  fault.reset();
  EXPECT_TRUE(waiting.ready(POLLOUT, patience));
}

TEST_F(IsolationTest, AFinInTheDarkArrivesWhenItIsOver) {
  auto fault = blackhole();
  ASSERT_TRUE(client.send("bye"));
  client.send_fin();
  EXPECT_TRUE(server.silent());
  fault.reset();
  EXPECT_EQ(server.receive(3), "bye");
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(IsolationTest, WhoLeftInTheDarkIsMissedWhenSomebodyWritesToIt) {
  auto fault = blackhole();
  client.reset();
  EXPECT_TRUE(server.silent());
  fault.reset();
  EXPECT_TRUE(server.silent());  // its RST was lost, and nobody sends it again
  ASSERT_TRUE(server.send("anybody there?"));
  EXPECT_EQ(server.receive_end(), ECONNRESET);
}

TEST_F(IsolationTest, AResetByAnotherFaultEndsTheConnectionAllTheSame) {
  auto fault = blackhole();
  const auto reset = arm("reset", of_kind("reset"));
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  fault.reset();
}

TEST_F(IsolationTest, ACloseByAnotherFaultWaitsForTheWayToBeOpen) {
  auto fault = blackhole();
  const auto close = arm("close", of_kind("close"));
  EXPECT_TRUE(client.silent());
  EXPECT_TRUE(server.silent());
  fault.reset();
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(IsolationTest, TheEndOfTheRunEndsIt) {
  const auto fault = blackhole();
  ASSERT_TRUE(client.send("lost"));
  EXPECT_TRUE(server.silent());
  network.reset();
  // Its bytes meet a socket that is closed: not a trace of the connection is left in the kernel.
  EXPECT_NE(client.receive_end(), -1);
  EXPECT_EQ(server.receive_end(), 0);
  int error = 0;
  dial(port, error);
  EXPECT_EQ(error, ECONNREFUSED);
}

TEST_F(IsolationTest, AUnixUpstreamHasNoPacketsToLose) {
  std::string folder = (std::filesystem::temp_directory_path() / "breakwire-isolation-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    Listener database(folder + "/socket");
    const EdgeId other{"a->db"};
    const auto at =
        open({.id = other, .upstream = UnixAddress{folder + "/socket"}, .protocol = EdgeProtocol::tcp});
    auto caller = dial(at);
    auto callee = database.accept();
    ASSERT_TRUE(caller.send("x"));
    ASSERT_EQ(callee.receive(1), "x");
    const auto said = [&](const char* kind, const char* with) {
      const auto before = recorder.all<faults::FaultHit>().size();
      const auto fault = network->arm(other, {.id = {kind},
                                              .kind = "test",
                                              .match = {.connections = faults::Connections::existing},
                                              .fault = of_kind(kind, with)});
      EXPECT_TRUE(callee.send("z"));
      EXPECT_TRUE(caller.silent());
      return recorder.all<faults::FaultHit>().at(before).action;
    };
    EXPECT_EQ(said("blackhole", "{}"), "isolate");  // the caller's side is TCP
    EXPECT_EQ(caller.receive(1), "z");
    EXPECT_EQ(said("half_open", R"({"direction": "response"})"), "hold");
    EXPECT_EQ(caller.receive(1), "z");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace breakwire::relay::testing
