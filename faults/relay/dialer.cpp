#include "faults/relay/dialer.h"

#include <boost/asio.hpp>
#include <utility>

namespace breakwire::relay {
namespace {

// A Unix listener whose backlog is full answers EAGAIN at once, where TCP's kernel would go on trying.
constexpr auto full_backlog_pause = std::chrono::milliseconds(10);
constexpr int full_backlog_patience = 500;

}  // namespace

Dialer::Dialer(asio::io_context& io, std::vector<Endpoint> endpoints, Done done)
    : io_(io), endpoints_(std::move(endpoints)), done_(std::move(done)), stream_(io), retry_(io) {
  dial(0);
}

void Dialer::cancel() {
  done_ = nullptr;
  retry_.cancel();
  boost::system::error_code ignored;
  stream_.close(ignored);
}

void Dialer::dial(size_t index) {
  boost::system::error_code error;
  stream_ = new_stream(io_, endpoints_[index].protocol(), error);
  // Every handler holds `done`, and so the dialer, until it has run.
  if (error) {
    asio::post(io_, [this, error, alive = done_] { finish(error); });
    return;
  }
  stream_.async_connect(endpoints_[index],
                        [this, index, alive = done_](const boost::system::error_code& result) {
                          if (done_) dialled(index, result);
                        });
}

void Dialer::dialled(size_t index, boost::system::error_code error) {
  if (!error) {
    boost::system::error_code unconnected;
    stream_.remote_endpoint(unconnected);
    if (unconnected && ++full_backlogs_ < full_backlog_patience) {
      retry_.expires_after(full_backlog_pause);
      retry_.async_wait([this, index, alive = done_](const boost::system::error_code& cancelled) {
        if (!cancelled && done_) dial(index);
      });
      return;
    }
    error = unconnected;
  }
  if (error && index + 1 < endpoints_.size()) return dial(index + 1);
  finish(error);
}

void Dialer::finish(const boost::system::error_code& error) {
  if (const auto done = std::exchange(done_, nullptr)) done(error, std::move(stream_));
}

}  // namespace breakwire::relay
