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
  std::optional<Connection> connection;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto operation = std::move(waiting_.front());
    waiting_.pop_front();
    running_.push_back(operation);
    lock.unlock();

    operation->begin(wake);
    Answer answer = execute(*operation, connection, wake);
    operation->end();
    wake.lower();
    operation->done(std::move(answer));

    lock.lock();
    std::erase(running_, operation);
  }
}

Answer Pool::execute(Operation& operation, std::optional<Connection>& connection, const Wake& wake) {
  auto given_up = [&](const std::string& what) -> Answer {
    connection.reset();
    if (wake.raised())
      return DatabaseError{.kind = Kind::woken, .sqlstate = "", .message = "given up by its caller"};
    return DatabaseError{.kind = Kind::timed_out, .sqlstate = "", .message = what};
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

  if (connection && !connection->still_open()) connection.reset();
  if (!connection) {
    connection.emplace(address_);
    auto progress = connection->advance(std::min(deadline, now + options_.connect_timeout), wake);
    if (progress == Connection::Progress::failed) return broken();
    if (progress == Connection::Progress::pending) {
      bool own_deadline = Clock::now() >= deadline;
      auto answer = given_up("the database did not answer in time");
      auto& error = std::get<DatabaseError>(answer);
      if (error.kind == Kind::timed_out && !own_deadline) error.kind = Kind::unreachable;
      return answer;
    }
  }
  connection->start(operation.statement);
  switch (connection->advance(deadline, wake)) {
    case Connection::Progress::done:
      return connection->take_answer();
    case Connection::Progress::pending:
      return given_up("the database did not answer in time");
    case Connection::Progress::failed:
      break;
  }
  return broken();
}

}  // namespace breakwire::kit
