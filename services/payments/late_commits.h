#pragma once
// What the flaw ack-before-commit does: statements carried out some time after their caller was told that
// they were.

#include <condition_variable>
#include <mutex>

#include "services/kit/postgres/pool.h"

namespace breakwire::payments {

/// Thread-safe. What the process is killed over is lost; an orderly exit carries it out.
class LateCommits {
 public:
  static constexpr std::chrono::milliseconds delay{200};
  static constexpr std::chrono::milliseconds patience{1000};  ///< with the database, for each statement

  /// `pool` outlives this.
  explicit LateCommits(kit::Pool& pool) : pool_(pool) {}

  /// Waits for what is outstanding: `delay` and `patience` from its `add` at the longest, as long as the pool
  /// keeps to the deadlines of its statements.
  ~LateCommits();

  /// Carries `statement` out after `delay`. Nobody hears how that went.
  void add(kit::Statement statement);

 private:
  kit::Pool& pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int outstanding_ = 0;
};

}  // namespace breakwire::payments
