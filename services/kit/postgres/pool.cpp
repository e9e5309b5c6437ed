#include "services/kit/postgres/pool.h"

#include <algorithm>

namespace breakwire::kit {

using Clock = std::chrono::steady_clock;
using Kind = DatabaseError::Kind;

class Pool::Operation {
 public:
  Operation(Statement what, Clock::time_point by, Done then)
      : statement(std::move(what)), deadline(by), done(std::move(then)) {}

  const Statement statement;
  const Clock::time_point deadline;
  const Done done;

  /// A worker takes the operation on; cancelling raises its `wake` from here on.
  void begin(Wake& wake) {
    std::lock_guard lock(mutex_);
    wake_ = &wake;
    if (cancelled_) wake.raise();
  }

  /// The worker is through with it; its `wake` is left alone from here on.
  void end() {
    std::lock_guard lock(mutex_);
    wake_ = nullptr;
  }

  void cancel() {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (wake_ != nullptr) wake_->raise();
  }

 private:
  std::mutex mutex_;
  bool cancelled_ = false;
  Wake* wake_ = nullptr;
};

Pool::Pool(DatabaseAddress address, std::function<bool()> reachable, PoolOptions options)
    : address_(std::move(address)), reachable_(std::move(reachable)), options_(options) {
  for (int i = 0; i < options_.connections; ++i) workers_.emplace_back([this] { work(); });
}

Pool::~Pool() {
  std::deque<std::shared_ptr<Operation>> abandoned;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    abandoned.swap(waiting_);
    for (const auto& operation : running_) operation->cancel();
  }
  changed_.notify_all();
  for (const auto& operation : abandoned)
    operation->done(DatabaseError{.kind = Kind::woken, .sqlstate = "", .message = "shutting down"});
  for (auto& worker : workers_) worker.join();
}

std::shared_ptr<Pool::Operation> Pool::submit(Statement statement, Clock::time_point deadline, Done done) {
  auto operation = std::make_shared<Operation>(std::move(statement), deadline, std::move(done));
  std::optional<DatabaseError> refusal;
  if (!reachable_()) {
    refusal =
        DatabaseError{.kind = Kind::unreachable, .sqlstate = "", .message = "the database does not answer"};
  } else {
    std::lock_guard lock(mutex_);
    if (closing_) {
      refusal = DatabaseError{.kind = Kind::woken, .sqlstate = "", .message = "shutting down"};
    } else if (waiting_.size() >= options_.waiting) {
      refusal = DatabaseError{
          .kind = Kind::overloaded, .sqlstate = "", .message = "too many calls wait for the database"};
    } else {
      waiting_.push_back(operation);
    }
  }
  if (refusal) {
    operation->done(std::move(*refusal));
  } else {
    changed_.notify_one();
  }
  return operation;
}

void Pool::cancel(Operation& operation) { operation.cancel(); }

void Pool::work() {
  Wake wake;
  Link link;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto operation = std::move(waiting_.front());
    waiting_.pop_front();
    running_.push_back(operation);
    lock.unlock();

    operation->begin(wake);
    Answer answer = execute(*operation, link, wake);
    operation->end();
    wake.lower();
    operation->done(std::move(answer));

    lock.lock();
    std::erase(running_, operation);
  }
}

Answer Pool::execute(Operation& operation, Link& link, const Wake& wake) {
  auto& connection = link.connection;
  auto given_up = [&]() -> Answer {
    if (wake.raised())
      return DatabaseError{.kind = Kind::woken, .sqlstate = "", .message = "given up by its caller"};
    return DatabaseError{
        .kind = Kind::timed_out, .sqlstate = "", .message = "the database did not answer in time"};
  };
  auto broken = [&]() -> Answer {
    std::string why = "the database cannot be reached: " + connection->error();
    connection.reset();
    return DatabaseError{.kind = Kind::unreachable, .sqlstate = "", .message = std::move(why)};
  };

  auto now = Clock::now();
  if (now >= operation.deadline || wake.raised())
    return DatabaseError{.kind = wake.raised() ? Kind::woken : Kind::timed_out,
                         .sqlstate = "",
                         .message = "it was over before the database was free"};
  auto deadline = std::min(operation.deadline, now + options_.statement_timeout);

  if (connection && (connection->connecting() ? now >= link.connected_by : !connection->still_open()))
    connection.reset();
  if (!connection) {
    connection.emplace(address_);
    link.connected_by = now + options_.connect_timeout;
  }
  if (connection->connecting()) {
    auto progress = connection->advance(std::min(deadline, link.connected_by), wake);
    if (progress == Connection::Progress::failed) return broken();
    if (progress == Connection::Progress::pending) {
      if (wake.raised() || Clock::now() >= deadline) return given_up();  // the next statement goes on with it
      connection.reset();
      return DatabaseError{
          .kind = Kind::unreachable, .sqlstate = "", .message = "the database did not answer in time"};
    }
  }
  connection->start(operation.statement);
  switch (connection->advance(deadline, wake)) {
    case Connection::Progress::done:
      return connection->take_answer();
    case Connection::Progress::pending:
      connection.reset();
      return given_up();
    case Connection::Progress::failed:
      break;
  }
  return broken();
}

}  // namespace breakwire::kit
