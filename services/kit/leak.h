#pragma once
// What the flaw `leaky` does when a call to a dependency fails: it keeps what such a call takes in a service
// with a thread and a connection for each. Makes a thread and a socket.

namespace breakwire::kit {

/// A thread that waits for an answer for ever, and a socket that nobody closes: neither is given back while
/// the process lives. Does nothing where the system has no more of them.
void leak_a_call();

}  // namespace breakwire::kit
