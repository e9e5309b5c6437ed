#include "harness/process/tcp_readiness.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "faults/relay/port_reservation.h"

namespace breakwire::process {
namespace {

Instant in(Duration time) { return std::chrono::steady_clock::now() + time; }

class Listener {
 public:
  explicit Listener(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  int fd_;
};

TEST(TcpReadinessTest, IsReadyWhenSomebodyListens) {
  const relay::PortReservation port;
  auto ready = std::async(std::launch::async,
                          [&] { return wait_until_connectable("127.0.0.1", port.port(), in(10s)); });
  const Listener listener(port.port());
  EXPECT_EQ(ready.get().outcome, Connectable::yes);
  EXPECT_EQ(wait_until_connectable("localhost", port.port(), in(10s)).outcome, Connectable::yes);
}

TEST(TcpReadinessTest, SaysWhyItIsNotReadyByTheDeadline) {
  const relay::PortReservation port;
  const auto result = wait_until_connectable("127.0.0.1", port.port(), in(50ms));
  EXPECT_EQ(result.outcome, Connectable::deadline_passed);
  EXPECT_EQ(result.last_error, "Connection refused");
}

TEST(TcpReadinessTest, IsGivenUpWhenTheServiceHasDied) {
  const relay::PortReservation port;
  std::stop_source stop;
  auto ready = std::async(std::launch::async, [&] {
    return wait_until_connectable("127.0.0.1", port.port(), in(1h), stop.get_token());
  });
  stop.request_stop();
  ASSERT_EQ(ready.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(ready.get().outcome, Connectable::stopped);
}

TEST(TcpReadinessTest, AHostThatDoesNotExistIsSaid) {
  const auto result = wait_until_connectable("no such host", 1, in(50ms));
  EXPECT_EQ(result.outcome, Connectable::deadline_passed);
  EXPECT_FALSE(result.last_error.empty());
}

}  // namespace
}  // namespace breakwire::process
