#pragma once
// Statements for the database from many calls at once, a bounded number at a time, each with its own
// deadline. Owns its worker threads, each of which owns at most one connection.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "services/kit/postgres/connection.h"

namespace breakwire::kit {

struct PoolOptions {
  int connections = 8;
  std::size_t waiting = 256;                          ///< statements that may wait for a connection
  std::chrono::milliseconds connect_timeout{500};     ///< of one attempt
  std::chrono::milliseconds statement_timeout{2000};  ///< of those whose deadline is later
};

class Pool {
 public:
  using Done = std::function<void(Answer)>;

  /// A statement under way or waiting.
  class Operation;

  /// `reachable` is asked before a statement touches the network: while it says no, statements fail at once
  /// as unreachable instead of finding out one timeout at a time.
  Pool(DatabaseAddress address, std::function<bool()> reachable, PoolOptions options = {});

  /// Gives up what is under way; every `done` not yet called is called with `woken`.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Executes `statement` and calls `done` exactly once, from a worker or from within this call, by
  /// `deadline` unless all workers are busy with statements of others (each of which ends by its own). A
  /// connection whose statement did not end in an answer is closed, so its answer cannot reach somebody else;
  /// one that is still being made when its statement is over goes on for the next one, for `connect_timeout`
  /// in all: a silent database that is called again and again would have all of them to serve when it is
  /// back.
  std::shared_ptr<Operation> submit(Statement statement, std::chrono::steady_clock::time_point deadline,
                                    Done done);

  /// The caller has gone: a waiting statement is not begun, one under way is given up, at once. `done` is
  /// still called.
  static void cancel(Operation& operation);

 private:
  /// What a worker has of the database.
  struct Link {
    std::optional<Connection> connection;
    std::chrono::steady_clock::time_point connected_by;  // given up otherwise
  };
  void work();
  Answer execute(Operation& operation, Link& link, const Wake& wake);

  const DatabaseAddress address_;
  const std::function<bool()> reachable_;
  const PoolOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Operation>> waiting_;
  std::vector<std::shared_ptr<Operation>> running_;
  bool closing_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace breakwire::kit
