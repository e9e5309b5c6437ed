// The counters and their endpoint, without any call.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "services/kit/metrics/endpoint.h"
#include "services/kit/metrics/metrics.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;

const std::string create = "shop.v1.OrdersService/CreateOrder";
const std::string labels =
    R"(grpc_method="CreateOrder",grpc_service="shop.v1.OrdersService",grpc_type="unary")";

Flaws with(Flaw flaw) {
  Flaws flaws;
  flaws.add(flaw);
  return flaws;
}

/// The value of a series, spelt as the text has it; "" when it is not there.
std::string value_of(const Metrics& metrics, const std::string& series) {
  std::string text = "\n" + metrics.text();
  auto at = text.find("\n" + series + " ");
  if (at == std::string::npos) return "";
  at += series.size() + 2;
  return text.substr(at, text.find('\n', at) - at);
}

TEST(MetricsTest, CountsCallsUnderTheNamesOfTheField) {
  Metrics metrics({}, [] { return 0; });
  for (int code : {0, 0, 9}) {
    metrics.began(Side::server, CallType::unary, create);
    metrics.ended(Side::server, CallType::unary, create, code, 20ms);
  }
  metrics.began(Side::server, CallType::unary, create);
  EXPECT_EQ(value_of(metrics, "grpc_server_started_total{" + labels + "}"), "4");
  EXPECT_EQ(value_of(metrics, R"(grpc_server_handled_total{grpc_code="OK",)" + labels + "}"), "2");
  EXPECT_EQ(value_of(metrics, R"(grpc_server_handled_total{grpc_code="FailedPrecondition",)" + labels + "}"),
            "1");
  EXPECT_EQ(value_of(metrics, "grpc_server_handling_seconds_count{" + labels + "}"), "3");
  EXPECT_EQ(value_of(metrics, "grpc_server_handling_seconds_bucket{" + labels + R"(,le="0.01"})"), "0");
  EXPECT_EQ(value_of(metrics, "grpc_server_handling_seconds_bucket{" + labels + R"(,le="0.025"})"), "3");
  EXPECT_EQ(value_of(metrics, "grpc_client_started_total{" + labels + "}"), "");
}

TEST(MetricsTest, CountsTimeoutsApartAndFromTheFirstCallOn) {
  Metrics metrics({}, [] { return 0; });
  metrics.began(Side::client, CallType::unary, create);
  EXPECT_EQ(value_of(metrics, "grpc_client_timeouts_total{" + labels + "}"), "0");
  metrics.ended(Side::client, CallType::unary, create, 4, 1s);
  EXPECT_EQ(value_of(metrics, "grpc_client_timeouts_total{" + labels + "}"), "1");
  EXPECT_EQ(value_of(metrics, R"(grpc_client_handled_total{grpc_code="DeadlineExceeded",)" + labels + "}"),
            "1");
}

TEST(MetricsTest, CountsMessagesFromTheFirstCallOn) {
  Metrics metrics({}, [] { return 0; });
  metrics.began(Side::client, CallType::unary, create);
  EXPECT_EQ(value_of(metrics, "grpc_client_msg_sent_total{" + labels + "}"), "0");
  EXPECT_EQ(value_of(metrics, "grpc_client_msg_received_total{" + labels + "}"), "0");
  metrics.sent(Side::client, CallType::unary, create);
  for (int i = 0; i < 3; ++i) metrics.received(Side::client, CallType::unary, create);
  EXPECT_EQ(value_of(metrics, "grpc_client_msg_sent_total{" + labels + "}"), "1");
  EXPECT_EQ(value_of(metrics, "grpc_client_msg_received_total{" + labels + "}"), "3");
}

TEST(MetricsTest, TheFlawUncountedTimeoutsForgetsTimeoutsAndNothingElse) {
  Metrics metrics(with(Flaw::uncounted_timeouts), [] { return 0; });
  for (int code : {0, 4}) {
    metrics.began(Side::server, CallType::unary, create);
    metrics.ended(Side::server, CallType::unary, create, code, 1ms);
  }
  EXPECT_EQ(value_of(metrics, "grpc_server_started_total{" + labels + "}"), "2");
  EXPECT_EQ(value_of(metrics, "grpc_server_timeouts_total{" + labels + "}"), "0");
  EXPECT_EQ(value_of(metrics, R"(grpc_server_handled_total{grpc_code="DeadlineExceeded",)" + labels + "}"),
            "");
  EXPECT_EQ(value_of(metrics, R"(grpc_server_handled_total{grpc_code="OK",)" + labels + "}"), "1");
}

TEST(MetricsTest, TellsHowManyLogLinesWereDropped) {
  std::uint64_t dropped = 0;
  Metrics metrics({}, [&] { return dropped; });
  EXPECT_EQ(value_of(metrics, "log_lines_dropped_total"), "0");
  dropped = 17;
  EXPECT_EQ(value_of(metrics, "log_lines_dropped_total"), "17");
}

TEST(MetricsTest, ACallerWhoInventsMethodsDoesNotFillTheMemory) {
  Metrics metrics({}, [] { return 0; });
  for (int i = 0; i < 10000; ++i) {
    std::string method = "no.Such/Method" + std::to_string(i);
    metrics.began(Side::server, CallType::bidi_stream, method);
    metrics.ended(Side::server, CallType::bidi_stream, method, 12, 1us);
  }
  EXPECT_EQ(value_of(metrics, R"(grpc_server_started_total{grpc_method="other",grpc_service="other",)"
                              R"(grpc_type="bidi_stream"})"),
            "9744");
  EXPECT_LT(metrics.text().size(), 1'000'000U);
}

TEST(MetricsTest, CodesAreSpeltAsTheFieldDoes) {
  EXPECT_EQ(metric_code(0), "OK");
  EXPECT_EQ(metric_code(1), "Canceled");
  EXPECT_EQ(metric_code(4), "DeadlineExceeded");
  EXPECT_EQ(metric_code(16), "Unauthenticated");
  EXPECT_EQ(metric_code(17), "Code(17)");
}

/// A connection to loopback, closed with it.
struct Connection {
  explicit Connection(int port) : socket(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected = ::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Connection() { ::close(socket); }
  void send(const std::string& text) const {
    EXPECT_EQ(::send(socket, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Until the other side closes, or `enough` is there.
  std::string read(const std::string& enough = "") const {
    std::string text;
    char some[4096];
    for (ssize_t size = 1; size > 0 && (enough.empty() || text.find(enough) == std::string::npos);) {
      size = ::recv(socket, some, sizeof some, 0);
      if (size > 0) text.append(some, static_cast<size_t>(size));
    }
    return text;
  }
  int socket;
  bool connected = false;
};

std::string ask(int port, const std::string& request_line) {
  Connection connection(port);
  connection.send(request_line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return connection.read();
}

struct Endpoint {
  Metrics metrics{{}, [] { return 3; }};
  MetricsEndpoint endpoint{"127.0.0.1", 0, metrics};
};

TEST(MetricsEndpointTest, AnswersGetOfMetricsAndNothingElse) {
  Endpoint served;
  auto answer = ask(served.endpoint.port(), "GET /metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("text/plain; version=0.0.4"), std::string::npos);
  EXPECT_NE(answer.find("\nlog_lines_dropped_total 3\n"), std::string::npos) << answer;
  EXPECT_TRUE(ask(served.endpoint.port(), "GET /metrics?x=y").starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(ask(served.endpoint.port(), "GET /").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(ask(served.endpoint.port(), "POST /metrics").starts_with("HTTP/1.1 405"));
}

TEST(MetricsEndpointTest, AnswersManyTimesOnOneConnection) {
  Endpoint served;
  Connection connection(served.endpoint.port());
  for (int i = 0; i < 3; ++i) {
    connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(connection.read("log_lines_dropped_total 3\n").find("200 OK"), std::string::npos);
  }
}

TEST(MetricsEndpointTest, NonsenseCostsItsSenderTheConnectionOnly) {
  Endpoint served;
  Connection connection(served.endpoint.port());
  connection.send(std::string(100'000, 'x') + "\r\n\r\n");
  connection.read();
  EXPECT_TRUE(ask(served.endpoint.port(), "GET /metrics").starts_with("HTTP/1.1 200"));
}

TEST(MetricsEndpointTest, EndsAtOnceThoughConnectionsAreOpen) {
  Metrics metrics({}, [] { return 0; });
  auto endpoint = std::make_unique<MetricsEndpoint>("127.0.0.1", 0, metrics);
  int port = endpoint->port();
  Connection idle(port);
  Connection half(port);
  half.send("GET /met");
  ask(port, "GET /metrics");  // by now the others are being served
  auto began = std::chrono::steady_clock::now();
  endpoint.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 500ms);
  EXPECT_EQ(idle.read(), "");
  EXPECT_FALSE(Connection(port).connected);
}

TEST(MetricsEndpointTest, ATakenPortIsAnError) {
  Endpoint served;
  EXPECT_THROW(MetricsEndpoint("127.0.0.1", served.endpoint.port(), served.metrics), std::runtime_error);
}

}  // namespace
}  // namespace breakwire::kit
