// A server that answers every request on every connection with the text it was given, for tests of who asks.
#pragma once

#include <boost/asio.hpp>
#include <mutex>
#include <string>
#include <thread>

namespace breakwire {

/// On loopback. Knows just as much HTTP as it takes to find the end of a request without a body.
class HttpServer {
 public:
  explicit HttpServer(std::string answer, int port = 0) : answer_(std::move(answer)), acceptor_(io_) {
    acceptor_.open(boost::asio::ip::tcp::v4());
    acceptor_.set_option(boost::asio::ip::tcp::acceptor::reuse_address(true));
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(port)});
    acceptor_.listen();
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~HttpServer() {
    io_.stop();
    thread_.join();
  }

  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  int port() const { return acceptor_.local_endpoint().port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()) + "/metrics"; }
  /// From now on; empty: no answer at all. `close`: and the connection is closed behind it.
  void answer(std::string text, bool close = false) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(text);
    close_ = close;
  }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }
  std::string last_request() const {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  struct Connection {
    explicit Connection(boost::asio::ip::tcp::socket open) : socket(std::move(open)) {}
    boost::asio::ip::tcp::socket socket;
    std::string read, written;
  };

  void accept() {
    acceptor_.async_accept([this](auto error, boost::asio::ip::tcp::socket socket) {
      if (error) return;
      {
        const std::lock_guard lock(mutex_);
        ++connections_;
      }
      listen(std::make_shared<Connection>(std::move(socket)));
      accept();
    });
  }
  void listen(std::shared_ptr<Connection> connection) {
    auto& read = connection->read;
    boost::asio::async_read_until(connection->socket, boost::asio::dynamic_buffer(read), "\r\n\r\n",
                                  [this, connection](auto error, size_t size) {
                                    if (!error) speak(connection, size);
                                  });
  }
  void speak(std::shared_ptr<Connection> connection, size_t asked) {
    bool close = false;
    {
      const std::lock_guard lock(mutex_);
      last_request_ = connection->read.substr(0, asked);
      connection->written = answer_;
      close = close_;
    }
    connection->read.erase(0, asked);
    if (connection->written.empty()) return listen(connection);
    boost::asio::async_write(connection->socket, boost::asio::buffer(connection->written),
                             [this, connection, close](auto error, size_t) {
                               if (!error && !close) listen(connection);
                             });
  }

  mutable std::mutex mutex_;
  std::string answer_, last_request_;
  bool close_ = false;
  int connections_ = 0;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace breakwire
