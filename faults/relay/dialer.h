// Connects to the first of several endpoints that answers.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "faults/relay/stream.h"

namespace breakwire::relay {

class Dialer {
 public:
  /// The last endpoint's error, or a connected stream.
  using Done = std::function<void(const boost::system::error_code&, Stream)>;

  /// `done` is called once, from the io_context, and must keep the dialer alive. The time to wait for an
  /// answer is the kernel's.
  Dialer(asio::io_context& io, std::vector<Endpoint> endpoints, Done done);
  /// `done` will not be called.
  void cancel();

 private:
  void dial(size_t index);
  void dialled(size_t index, boost::system::error_code error);
  void finish(const boost::system::error_code& error);

  asio::io_context& io_;
  std::vector<Endpoint> endpoints_;
  Done done_;
  Stream stream_;
  asio::steady_timer retry_;
  int full_backlogs_ = 0;
};

}  // namespace breakwire::relay
