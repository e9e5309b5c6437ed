#pragma once
// One incoming call answered by one statement.

#include <grpcpp/grpcpp.h>

#include <functional>

#include "services/kit/call_policy.h"
#include "services/kit/postgres/pool.h"

namespace breakwire::kit {

/// Turns the rows of the answer into the call's response; runs on a worker of the pool.
using Fill = std::function<grpc::Status(const Rows&)>;

/// What a database error means to a caller. SH001, SH002 and SH003 are raised by services/schema.sql.
grpc::Status status_of(const DatabaseError& error);

/// Answers the call `context` belongs to: with `checked` when that is not OK, else with what `statement`
/// gives, by the call's deadline. Ends with the call when its caller gives up: whoever comes first, the
/// database's answer or the cancellation, finishes it, and the other changes nothing.
grpc::ServerUnaryReactor* answer_from_database(CallPolicy& policy, Pool& pool,
                                               grpc::CallbackServerContext& context, grpc::Status checked,
                                               Statement statement, Fill fill);

/// OK for what can stand in a text column as a key: 1 to 128 bytes, none of them zero (libpq would end the
/// value at it). Else INVALID_ARGUMENT, saying `name`.
grpc::Status check_key(const char* name, const std::string& text);

/// A value of an integer column.
std::int64_t number(const std::string& text);

}  // namespace breakwire::kit
