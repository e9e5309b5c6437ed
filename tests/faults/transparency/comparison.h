// What two raw peers meant against what reached the other of them: per stream the header lists, DATA, ends
// and resets, per connection SETTINGS, PINGs and GOAWAYs; equal but for what the relay is allowed to change.
#pragma once

#include "faults/fault_set.h"
#include "tests/faults/transparency/raw_peer.h"

namespace breakwire::http2::testing {

/// The ruling of the faults that a request asks for by its "x-fault": "hold" (its HEADERS), "end" (answered
/// with a status), "page" (answered with a page), "edit" (fields of both directions).
faults::Ruling asked_for(const faults::CallReached& reached);
/// Their action alone, for one fault in force.
faults::WireAction action_asked_for(const faults::CallReached& reached);

/// GoogleTest expectations about a conversation that is over. `undisturbed`: no fault was in force; then ids,
/// the order of everything and every octet of flow control are the same on both sides too.
void expect_relayed(const RawPeer& client, const RawPeer& server, bool undisturbed);

/// What the order of frames does not say: nothing is left of windows that were taken and not given back.
bool windows_agree(const RawPeer& client, const RawPeer& server);

}  // namespace breakwire::http2::testing
