// Statements that are carried out late, and a database that does not answer them.

#include "services/payments/late_commits.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace breakwire::payments {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Connections to it are made, and nobody ever answers.
struct MuteDatabase {
  MuteDatabase() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(socket, 8), 0);
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size), 0);
    address = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  }
  ~MuteDatabase() { ::close(socket); }
  int socket;
  std::string address;
};

TEST(LateCommitsTest, DoNotGoBeforeTheStatementsThatAreStillToTellThemOfTheirEnd) {
  MuteDatabase database;
  kit::Pool pool({.text = database.address, .application = "test"}, [] { return true; },
                 {.connect_timeout = 60s, .statement_timeout = 60s});
  auto late = std::make_unique<LateCommits>(pool);
  auto began = Clock::now();
  late->add({.text = "select 1", .parameters = {}});
  late->add({.text = "select 2", .parameters = {}});
  late.reset();
  // No sooner than the last of them was given up. 5 ms: the delay is measured by another clock.
  EXPECT_GE(Clock::now() - began, LateCommits::delay + LateCommits::patience - 5ms);
}

}  // namespace
}  // namespace breakwire::payments
