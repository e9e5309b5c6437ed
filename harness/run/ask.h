// What is asked once, when the loads are over and everything has settled, and before anything is stopped: the
// ledgers that checks wish to be read, then the commands they wish to be run. Touches the databases' Unix
// sockets and the guard; records LedgerRead and CommandEnded.
#pragma once

#include <stop_token>

#include "harness/run/topology.h"

namespace breakwire::run {

/// Asks one after the other, a ledger for at most 5 s, a command for as long as its check allows, none beyond
/// `deadline`; what does not answer is recorded with why. Never throws for what a service or a command does.
void ask_afterwards(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder,
                    Instant deadline, const std::stop_token& stop);

}  // namespace breakwire::run
