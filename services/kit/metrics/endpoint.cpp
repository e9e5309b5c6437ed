#include "services/kit/metrics/endpoint.h"

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "services/kit/metrics/metrics.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr int most_connections = 16;
constexpr auto patience = 5s;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

http::response<http::string_body> answer_to(const http::request<http::string_body>& request,
                                            const Metrics& metrics) {
  http::response<http::string_body> response{http::status::ok, request.version()};
  response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
  auto path = request.target().substr(0, request.target().find('?'));
  if (path != "/metrics") {
    response.result(http::status::not_found);
    response.body() = "the metrics are at /metrics\n";
  } else if (request.method() != http::verb::get) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET");
  } else {
    response.body() = metrics.text();
  }
  response.keep_alive(request.keep_alive());
  response.prepare_payload();
  return response;
}

}  // namespace

class MetricsEndpoint::Server {
 public:
  Server(const std::string& host, int port, const Metrics& metrics) : metrics_(metrics), acceptor_(io_) {
    tcp::endpoint at = *tcp::resolver(io_).resolve(host, std::to_string(port)).begin();
    acceptor_.open(at.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(at);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, accept(), asio::detached);  // it handles all its errors, and ends with io_
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Server() {
    io_.stop();
    thread_.join();
  }

  int port() const { return port_; }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(use_result);
      if (error) {  // out of descriptors, as a rule
        asio::steady_timer pause(io_, 100ms);
        co_await pause.async_wait(use_result);
      } else if (connections_ < most_connections) {
        ++connections_;
        asio::co_spawn(io_, serve(std::move(socket)), [this](std::exception_ptr) { --connections_; });
      }
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    boost::beast::tcp_stream stream(std::move(socket));
    boost::beast::flat_buffer buffer(16 * 1024);
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(4096);
      stream.expires_after(patience);
      auto [unread, in] = co_await http::async_read(stream, buffer, parser, use_result);
      if (unread) co_return;
      auto response = answer_to(parser.get(), metrics_);
      auto [unsent, out] = co_await http::async_write(stream, response, use_result);
      if (unsent || !response.keep_alive()) co_return;
    }
  }

  const Metrics& metrics_;
  int port_ = 0;
  int connections_ = 0;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;  // last: uses all else
};

MetricsEndpoint::MetricsEndpoint(const std::string& host, int port, const Metrics& metrics)
    : server_(std::make_unique<Server>(host, port, metrics)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

int MetricsEndpoint::port() const { return server_->port(); }

}  // namespace breakwire::kit
