#include "faults/relay/port_reservation.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace breakwire::relay {
namespace {

/// A socket that closes itself.
class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void allow_reuse() {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  /// 0 or an errno, as for the others.
  int bind(uint16_t port) { return with_address(::bind, port); }
  int connect(uint16_t port) { return with_address(::connect, port); }
  int listen() { return ::listen(fd_, 8) == 0 ? 0 : errno; }
  int fd() const { return fd_; }
  uint16_t port() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
  }

 private:
  int with_address(int (*call)(int, const sockaddr*, socklen_t), uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return call(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }
  int fd_;
};

TEST(PortReservationTest, AConnectIsRefusedUntilTheOwnerListensAndAgainAfterwards) {
  const PortReservation reservation;
  EXPECT_EQ(Socket().connect(reservation.port()), ECONNREFUSED);
  for (int round = 0; round < 3; ++round) {
    {
      Socket owner;
      owner.allow_reuse();
      ASSERT_EQ(owner.bind(reservation.port()), 0);
      ASSERT_EQ(owner.listen(), 0);
      Socket client;
      ASSERT_EQ(client.connect(reservation.port()), 0);
      // The server closes first, so that its side waits in TIME_WAIT and the port must be usable
      // nevertheless.
      Socket accepted(::accept(owner.fd(), nullptr, nullptr));
      ::shutdown(accepted.fd(), SHUT_WR);
    }
    EXPECT_EQ(Socket().connect(reservation.port()), ECONNREFUSED);
  }
}

TEST(PortReservationTest, WhoeverDoesNotKnowOfItCannotBindIt) {
  const PortReservation reservation;
  EXPECT_EQ(Socket().bind(reservation.port()), EADDRINUSE);
}

TEST(PortReservationTest, NobodyWhoAsksForAnyPortIsGivenIt) {
  std::vector<PortReservation> reservations(500);
  std::set<uint16_t> ports;
  for (const auto& reservation : reservations) ports.insert(reservation.port());
  EXPECT_EQ(ports.size(), 500u);
  for (int i = 0; i < 500; ++i) {
    Socket stranger;
    stranger.allow_reuse();
    ASSERT_EQ(stranger.bind(0), 0);
    EXPECT_FALSE(ports.contains(stranger.port()));
  }
}

TEST(PortReservationTest, ASecondReservationOfThePortIsRefusedWithASentence) {
  const PortReservation first;
  try {
    PortReservation second(first.port());
    FAIL() << "it was given away twice";
  } catch (const PortInUse& error) {
    const std::string port = std::to_string(first.port());
    EXPECT_EQ(error.what(), "port " + port +
                                " of 127.0.0.1 is in use by another process: end it (`ss -tnap 'sport = :" +
                                port + "'` names it) or choose another port");
  }
}

TEST(PortReservationTest, APortThatIsListenedOnIsRefused) {
  Socket stranger;
  stranger.allow_reuse();
  ASSERT_EQ(stranger.bind(0), 0);
  ASSERT_EQ(stranger.listen(), 0);
  EXPECT_THROW(PortReservation{stranger.port()}, PortInUse);
}

TEST(PortReservationTest, AFixedPortIsFreeAgainWhenItsReservationEnds) {
  uint16_t port = 0;
  {
    PortReservation first;
    port = first.port();
    PortReservation moved = std::move(first);
    EXPECT_EQ(moved.port(), port);
    EXPECT_THROW(PortReservation{port}, PortInUse);
  }
  EXPECT_EQ(PortReservation(port).port(), port);
}

TEST(PortReservationTest, AFixedPortInTimeWaitCanBeReserved) {
  uint16_t port = 0;
  {
    Socket owner;
    owner.allow_reuse();
    ASSERT_EQ(owner.bind(0), 0);
    ASSERT_EQ(owner.listen(), 0);
    port = owner.port();
    Socket client;
    ASSERT_EQ(client.connect(port), 0);
    Socket accepted(::accept(owner.fd(), nullptr, nullptr));
    ::shutdown(accepted.fd(), SHUT_WR);
    char byte = 0;
    ASSERT_EQ(::read(client.fd(), &byte, 1), 0);
    ::shutdown(client.fd(), SHUT_WR);
    ASSERT_EQ(::read(accepted.fd(), &byte, 1), 0);
  }
  EXPECT_EQ(Socket().bind(port), EADDRINUSE) << "the test needs a connection in TIME_WAIT";
  EXPECT_EQ(PortReservation(port).port(), port);
}

}  // namespace
}  // namespace breakwire::relay
