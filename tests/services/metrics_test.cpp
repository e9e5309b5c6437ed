// Metrics and the flaws of observation in running services.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

/// What GET /metrics of a service answers.
std::string metrics_of(const Service& service) {
  const std::string marker = "metrics on http://127.0.0.1:";
  auto text = service.process.err();
  auto at = text.find(marker);
  if (at == std::string::npos) return "no metrics: " + text;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(text.substr(at + marker.size()))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
    std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    char some[4096];
    for (ssize_t size; (size = ::recv(socket, some, sizeof some, 0)) > 0;)
      answer.append(some, static_cast<size_t>(size));
  }
  ::close(socket);
  return answer;
}

std::string series(const std::string& name, const std::string& service, const std::string& method,
                   const std::string& type = "unary") {
  return "\n" + name + R"({grpc_method=")" + method + R"(",grpc_service=")" + service + R"(",grpc_type=")" +
         type + R"("} )";
}

/// An orders service that can be asked for metrics, and what stands behind it.
struct Orders {
  explicit Orders(const std::string& flaw = "")
      : service("orders", {"--inventory=" + inventory.address(), "--payments=" + payments.address(),
                           "--metrics=127.0.0.1:0", "--flaw=" + flaw}) {}
  FakeDependency inventory, payments;
  Service service;
};

TEST(ServiceMetricsTest, CountATimeoutOnBothSides) {
  Orders orders;
  orders.inventory.hold();
  create_order(orders.service, "a", 200ms);
  std::string text;
  EXPECT_TRUE(eventually([&] {
    text = metrics_of(orders.service);
    return text.find(series("grpc_server_timeouts_total", "shop.v1.OrdersService", "CreateOrder") + "1\n") !=
               std::string::npos &&
           text.find(series("grpc_client_timeouts_total", "shop.v1.InventoryService", "Reserve") + "1\n") !=
               std::string::npos;
  })) << text;
}

TEST(ServiceMetricsTest, CountTheMessagesOfAStream) {
  Orders orders;
  Service storefront("storefront", {"--orders=" + orders.service.address, "--metrics=127.0.0.1:0"});
  const grpc::Status unknown(grpc::StatusCode::NOT_FOUND, "no such order");
  orders.inventory.answer_with({unknown});  // awaited; then reserved; then paid
  orders.payments.answer_with({unknown});
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 10s);
  shop::v1::WatchOrderRequest request;
  request.set_order_id("a");
  auto watch = shop::v1::StorefrontService::NewStub(storefront.channel)->WatchOrder(&context, request);
  shop::v1::WatchOrderResponse response;
  int states = 0;
  while (watch->Read(&response)) ++states;
  EXPECT_TRUE(watch->Finish().ok());
  EXPECT_EQ(states, 3);
  const auto counts = [&](const Service& service, const std::string& name, const std::string& of,
                          const std::string& method, const std::string& count) {
    std::string text;
    EXPECT_TRUE(eventually([&] {
      text = metrics_of(service);
      return text.find(series(name, of, method, "server_stream") + count + "\n") != std::string::npos;
    })) << name
        << " is not " << count << ":\n"
        << text;
  };
  counts(storefront, "grpc_server_msg_received_total", "shop.v1.StorefrontService", "WatchOrder", "1");
  counts(storefront, "grpc_server_msg_sent_total", "shop.v1.StorefrontService", "WatchOrder", "3");
  counts(storefront, "grpc_client_msg_sent_total", "shop.v1.OrdersService", "StreamOrderStates", "1");
  counts(storefront, "grpc_client_msg_received_total", "shop.v1.OrdersService", "StreamOrderStates", "3");
  counts(orders.service, "grpc_server_msg_sent_total", "shop.v1.OrdersService", "StreamOrderStates", "3");
}

TEST(ServiceMetricsTest, LeaveTimeoutsOutWhenTheyAreFlawed) {
  Orders orders("uncounted-timeouts");
  orders.inventory.hold();
  create_order(orders.service, "a", 200ms);
  ASSERT_TRUE(
      eventually([&] { return orders.service.log_lines({R"("code":"DEADLINE_EXCEEDED")"}).size() == 2; }));
  auto text = metrics_of(orders.service);
  EXPECT_NE(text.find(series("grpc_server_started_total", "shop.v1.OrdersService", "CreateOrder") + "1\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("DeadlineExceeded"), std::string::npos) << text;
}

TEST(ServiceMetricsTest, APortInUseIsAnErrorAtTheStart) {
  Orders first;
  Child second({binary("orders"), "--listen=127.0.0.1:0", "--inventory=127.0.0.1:1", "--payments=127.0.0.1:1",
                "--metrics=" + first.service.address});
  EXPECT_EQ(second.wait(), (Ended{.exit_code = 2, .signal = {}}));
  EXPECT_NE(second.err().find("cannot serve metrics on " + first.service.address), std::string::npos)
      << second.err();
}

TEST(ServiceMetricsTest, DoNotHoldUpTheExit) {
  Orders orders;
  ASSERT_TRUE(metrics_of(orders.service).starts_with("HTTP/1.1 200"));
  auto began = Clock::now();
  orders.service.process.signal(SIGTERM);
  EXPECT_EQ(orders.service.process.wait(), (Ended{.exit_code = 0, .signal = {}}));
  EXPECT_LT(Clock::now() - began, 1500ms);
}

constexpr const char* first_trace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* second_trace = "1bf7651916cd43dd8448eb211c80319d";

void create_traced_order(const Service& orders, const std::string& trace) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", "00-" + trace + "-b7ad6b7169203331-01");
  create_order(orders, "a", 300ms, &context);
}

std::string trace_of(const Seen& seen) {
  auto found = seen.metadata.find("traceparent");
  return found == seen.metadata.end() ? "" : found->second.substr(3, 32);
}

TEST(TraceFlawsTest, NoTracePassesNoneOn) {
  Orders orders("no-trace");
  create_traced_order(orders.service, first_trace);
  ASSERT_EQ(orders.inventory.seen().size(), 1U);
  EXPECT_EQ(trace_of(orders.inventory.seen()[0]), "");
}

TEST(TraceFlawsTest, CrosstalkNeedsConcurrency) {
  Orders orders("trace-crosstalk");
  create_traced_order(orders.service, first_trace);
  create_traced_order(orders.service, second_trace);
  ASSERT_EQ(orders.inventory.seen().size(), 2U);
  EXPECT_EQ(trace_of(orders.inventory.seen()[1]), second_trace);
  orders.inventory.hold();
  std::thread other([&] { create_traced_order(orders.service, first_trace); });
  EXPECT_TRUE(eventually([&] { return orders.inventory.held() == 1; }));
  create_traced_order(orders.service, second_trace);
  other.join();
  ASSERT_EQ(orders.inventory.seen().size(), 4U);
  EXPECT_EQ(trace_of(orders.inventory.seen()[3]), first_trace);
}

TEST(LogFlawTest, LogOnlySuccessHidesFailures) {
  Orders orders("log-only-success");
  orders.inventory.answer_with({{grpc::StatusCode::FAILED_PRECONDITION, "sold out"}});
  create_order(orders.service, "a");
  create_order(orders.service, "b");
  EXPECT_TRUE(eventually([&] {
    return orders.service.log_lines({R"("side":"server")", R"("code":"OK")"}).size() == 1;
  }));
  EXPECT_TRUE(orders.service.log_lines({"FAILED_PRECONDITION"}).empty());
}

}  // namespace
}  // namespace breakwire::services_test
