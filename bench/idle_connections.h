// What a connection costs that is merely open.
#pragma once

#include "bench/subjects.h"

namespace bench {

/// 1,000 connections, one call made on each, then idle: memory of the process per connection, for each of the
/// ways. breakwire is measured with the history of those calls and without it.
void idle_connections(Subjects& subjects);

}  // namespace bench
