#pragma once
// One incoming call answered by one statement.

#include <grpcpp/grpcpp.h>

#include <functional>

#include "services/kit/postgres/pool.h"

namespace breakwire::inventory {

/// Turns the rows of the answer into the call's response; runs on a worker of the pool.
using Fill = std::function<grpc::Status(const kit::Rows&)>;

/// What a database error means to a caller. SH001, SH002 and SH003 are raised by services/schema.sql.
grpc::Status status_of(const kit::DatabaseError& error);

/// Answers the call with what `statement` gives, by `deadline`. Ends with the call when its caller gives up:
/// whoever comes first, the database's answer or the cancellation, finishes it, and the other changes
/// nothing.
grpc::ServerUnaryReactor* answer_from_database(kit::Pool& pool, kit::Statement statement,
                                               std::chrono::system_clock::time_point deadline, Fill fill);

}  // namespace breakwire::inventory
