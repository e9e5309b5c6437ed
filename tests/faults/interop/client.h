// gRPC's interop cases by gRPC C++'s synchronous API. It only does and tells; what must come of it is in
// expectations.h, for clients and servers of every language.
#pragma once

#include <cstdint>
#include <string>

#include "tests/faults/interop/seen.h"

namespace breakwire::interop {

/// All cases, one after the other, over one channel to that port of loopback.
void run_cases(const std::string& run, uint16_t port, Log& log);

}  // namespace breakwire::interop
