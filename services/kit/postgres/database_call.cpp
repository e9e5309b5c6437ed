#include "services/kit/postgres/database_call.h"

#include <atomic>
#include <charconv>

namespace breakwire::kit {
namespace {

/// Lives until gRPC is done with the call. Exactly one of the two who race for it, answer and cancellation,
/// finishes it; `ended_` outlives the reactor for the one that comes too late.
class DatabaseCall : public grpc::ServerUnaryReactor {
 public:
  DatabaseCall(Pool& pool, Statement statement, std::chrono::steady_clock::time_point deadline, Fill fill) {
    auto ended = ended_;
    auto done = [this, ended, fill = std::move(fill)](const Answer& answer) {
      if (ended->exchange(true)) return;  // `this` may be gone
      const auto* error = std::get_if<DatabaseError>(&answer);
      Finish(error != nullptr ? status_of(*error) : fill(std::get<Rows>(answer)));
    };
    operation_ = pool.submit(std::move(statement), deadline, std::move(done));
    // OnCancel may have come before there was anything to cancel, and does not come before the constructor is
    // over.
  }

  void OnCancel() override {
    Pool::cancel(*operation_);
    if (!ended_->exchange(true)) Finish(grpc::Status::CANCELLED);
  }

  void OnDone() override { delete this; }

 private:
  std::shared_ptr<std::atomic<bool>> ended_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<Pool::Operation> operation_;
};

}  // namespace

grpc::Status status_of(const DatabaseError& error) {
  using Kind = DatabaseError::Kind;
  switch (error.kind) {
    case Kind::unreachable:
      return {grpc::StatusCode::UNAVAILABLE, error.message};
    case Kind::timed_out:
      return {grpc::StatusCode::DEADLINE_EXCEEDED, error.message};
    case Kind::woken:
      return {grpc::StatusCode::CANCELLED, error.message};
    case Kind::overloaded:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, error.message};
    case Kind::refused:
      break;
  }
  if (error.sqlstate == "SH001") return {grpc::StatusCode::NOT_FOUND, error.message};
  if (error.sqlstate == "SH002") return {grpc::StatusCode::FAILED_PRECONDITION, error.message};
  if (error.sqlstate == "SH003") return {grpc::StatusCode::ALREADY_EXISTS, error.message};
  // Classes 08, 53 and 57P: connection trouble, out of resources, shutting down or starting up.
  if (error.sqlstate.starts_with("08") || error.sqlstate.starts_with("53") ||
      error.sqlstate.starts_with("57P"))
    return {grpc::StatusCode::UNAVAILABLE, error.message};
  return {grpc::StatusCode::INTERNAL, "the database refused: " + error.message};
}

grpc::ServerUnaryReactor* answer_from_database(CallPolicy& policy, Pool& pool,
                                               grpc::CallbackServerContext& context, grpc::Status checked,
                                               Statement statement, Fill fill) {
  if (checked.ok()) checked = policy.admit();
  if (!checked.ok()) {
    auto* reactor = context.DefaultReactor();
    reactor->Finish(checked);
    return reactor;
  }
  auto left = policy.deadline_of(context) - std::chrono::system_clock::now();
  return new DatabaseCall(pool, std::move(statement), std::chrono::steady_clock::now() + left,
                          std::move(fill));
}

grpc::Status check_key(const char* name, const std::string& text) {
  if (text.empty() || text.size() > 128)
    return {grpc::StatusCode::INVALID_ARGUMENT, std::string(name) + " must have 1 to 128 bytes"};
  if (text.find('\0') != std::string::npos)
    return {grpc::StatusCode::INVALID_ARGUMENT, std::string(name) + " must not contain a zero byte"};
  return grpc::Status::OK;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace breakwire::kit
