#pragma once
// Where the metrics can be read: a small HTTP/1.1 server on a port of its own. Owns one thread.

#include <memory>
#include <string>

namespace breakwire::kit {

class Metrics;

/// Answers GET /metrics until it is destroyed, which takes no longer than an answer in the making. Any other
/// path is 404, any other method 405. At most 16 connections at a time; one that sends nothing for 5 s is
/// closed.
class MetricsEndpoint {
 public:
  /// Port 0 takes a free one. `metrics` outlives this. Throws std::runtime_error when it cannot listen there.
  MetricsEndpoint(const std::string& host, int port, const Metrics& metrics);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  int port() const;

 private:
  class Server;
  const std::unique_ptr<Server> server_;
};

}  // namespace breakwire::kit
