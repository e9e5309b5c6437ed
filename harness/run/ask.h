// What is asked once, when the loads are over and everything has settled, and before anything is stopped: the
// ledgers that checks wish to be read. Touches the databases' Unix sockets; records LedgerRead.
#pragma once

#include <stop_token>

#include "harness/run/topology.h"

namespace breakwire::run {

/// Asks one after the other, each for at most 5 s and until `deadline`; what does not answer is recorded with
/// why. Never throws for what a service does.
void ask_afterwards(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder,
                    Instant deadline, const std::stop_token& stop);

}  // namespace breakwire::run
