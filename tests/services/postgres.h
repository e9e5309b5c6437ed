#pragma once
// A PostgreSQL of the tests' own: fresh, on loopback, with the shop's schema, gone with the object.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/services/support.h"

struct pg_conn;

namespace breakwire::services_test {

class Postgres {
 public:
  Postgres();  ///< throws std::runtime_error with a sentence when PostgreSQL is not there or does not start
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "postgresql://postgres@" + address() + "/postgres"; }

  void kill();    ///< SIGKILL to the postmaster; its backends follow
  void start();   ///< again, on the same port and data; returns when it answers
  void freeze();  ///< SIGSTOP to all of it: accepts, and never answers
  void thaw();

  /// The first value of the first row, as text.
  std::string ask(const std::string& sql) const;

 private:
  void run_and_wait(std::vector<std::string> command) const;
  pid_t spawn(std::vector<std::string> command) const;
  std::vector<pid_t> processes() const;

  TemporaryDirectory directory_;
  std::string bin_;
  int port_ = 0;
  pid_t postmaster_ = -1;
};

/// Keeps everybody from writing to a table, and nobody from reading it, as long as it lives.
class WriteLock {
 public:
  WriteLock(const Postgres& postgres, const std::string& table);  ///< throws std::runtime_error
  ~WriteLock();
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  pg_conn* connection_;
};

}  // namespace breakwire::services_test
