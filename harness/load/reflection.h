// Asks a server which services it has and how their messages look (grpc.reflection.v1, then v1alpha).
#pragma once

#include "base/json.h"
#include "harness/load/descriptors.h"

namespace breakwire::load {

/// All services of `target`, and the files that describe `service` (fully qualified) with all they import; no
/// files when the server does not know it. Errors, placed at `span`: no reflection, no answer within
/// `within` or before a request to `stop`, an import the server does not have.
Result<Catalogue> ask_server(const std::string& target, const std::string& service, Duration within,
                             const json::Span& span, const std::stop_token& stop = {});

}  // namespace breakwire::load
