// A database that accepts and never answers, and one that is not there: a bare listening socket stands in for
// it.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

class MuteListener {
 public:
  MuteListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 64) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
  }
  ~MuteListener() {
    for (int fd : accepted_) ::close(fd);
    ::close(fd_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  /// Whether somebody connected meanwhile. Accepts one and says nothing to it.
  bool accept_one() {
    int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) accepted_.push_back(fd);
    return fd >= 0;
  }

 private:
  int fd_;
  int port_ = 0;
  std::vector<int> accepted_;
};

Reply get_stock(const Service& inventory, Millis deadline) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + deadline);
  shop::v1::GetStockRequest request;
  request.set_sku("apple");
  shop::v1::GetStockResponse response;
  auto began = Clock::now();
  auto status =
      shop::v1::InventoryService::NewStub(inventory.channel)->GetStock(&context, request, &response);
  return {status, std::chrono::duration_cast<Millis>(Clock::now() - began)};
}

TEST(MuteDatabaseTest, AliveNotServingAndNeverHanging) {
  MuteListener database;
  Service inventory("inventory", {"--database=" + database.address()});
  ASSERT_TRUE(eventually([&] { return database.accept_one(); }));
  for (int i = 0; i < 20; ++i) {
    auto began = Clock::now();
    EXPECT_EQ(inventory.health("readiness"), "NOT_SERVING");
    EXPECT_EQ(inventory.health(""), "NOT_SERVING");
    EXPECT_EQ(inventory.health("liveness"), "SERVING");
    EXPECT_LT(Clock::now() - began, 200ms);
  }
  auto reply = get_stock(inventory, 2s);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(reply.took, 200ms);
}

TEST(MuteDatabaseTest, ProbesWaitOnOneConnectionInsteadOfOpeningOneEach) {
  MuteListener database;
  Service inventory("inventory", {"--database=" + database.address()});
  ASSERT_TRUE(eventually([&] { return database.accept_one(); }));
  auto first = Clock::now();
  ASSERT_TRUE(eventually([&] { return database.accept_one(); }, 3s))
      << "a dead connection was never replaced";
  EXPECT_GT(Clock::now() - first, 800ms);
}

TEST(MuteDatabaseTest, DoesNotHoldUpTheExit) {
  MuteListener database;
  Service inventory("inventory", {"--database=" + database.address()});
  inventory.process.signal(SIGTERM);
  EXPECT_EQ(inventory.process.wait(1s), (Ended{.exit_code = 0, .signal = {}}));
}

TEST(MuteDatabaseTest, AlwaysServingDoesNotCare) {
  Service inventory("inventory", {"--database=127.0.0.1:1", "--flaw=always-serving"});
  EXPECT_EQ(inventory.health("readiness"), "SERVING");
  EXPECT_EQ(get_stock(inventory, 1s).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(MuteDatabaseTest, LivenessNeedsDatabaseDiesWithIt) {
  Service inventory("inventory", {"--database=127.0.0.1:1", "--flaw=liveness-needs-database"});
  EXPECT_EQ(inventory.health("liveness"), "NOT_SERVING");
}

}  // namespace
}  // namespace breakwire::services_test
