// Connections that speak HTTP/2 by hand, to fill what a relay keeps of each: a client, and a server that
// answers.
#pragma once

#include <cstdint>
#include <memory>

namespace bench {

/// Listens on a loopback port and keeps what it accepts. Every connection gets SETTINGS; its first request
/// gets a response of one field block. One thread.
class RawServer {
 public:
  RawServer();
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// So many connections to a port, one request answered on each, then idle. Request and response are a block
/// of as many of the smallest fields as a table of 4,096 bytes holds (RFC 7541 §4.1), all of them added to
/// it.
class FullTables {
 public:
  FullTables(uint16_t port, size_t connections);  // returns when all are answered; throws std::runtime_error
  ~FullTables();
  FullTables(const FullTables&) = delete;
  FullTables& operator=(const FullTables&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bench
