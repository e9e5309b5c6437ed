// What faults do to control frames, and what the relay says on its own (RELAY.md rules 5 and 7).
#include "faults/http2/session_core.h"

namespace breakwire::http2 {

void Session::Core::act(const FaultId&, const faults::WireAction&, Instant) {}

}  // namespace breakwire::http2
