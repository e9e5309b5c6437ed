// What breakwire, its guard and the guard's keepers say to each other: one message per packet of a
// SOCK_SEQPACKET socket, between programs of the same build on the same machine. Touches nothing but the
// socket it is handed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace breakwire::process {

/// The number breakwire gives to each process it asks for. Unlike a pid it is never used twice.
using ProcessNumber = uint32_t;

/// Where a start can fail; the order is the order of the steps.
enum class SpawnStep : uint8_t { fork, open_log, change_user, change_directory, execute };

namespace message {

// breakwire -> guard -> keeper

struct Spawn {
  ProcessNumber process = 0;
  std::vector<std::string> argv;
  std::vector<std::string> env;  // "NAME=value", added to the guard's own environment
  std::string cwd;               // empty: the guard's
  std::string log_path;          // empty: /dev/null
  bool change_user = false;
  uint32_t uid = 0, gid = 0;
};
/// To the process alone, or with `tree` to it and all its descendants, daemons among them.
struct Signal {
  ProcessNumber process = 0;
  uint32_t request = 0;
  int32_t signo = 0;
  bool tree = false;
};
/// Make a directory named breakwire-XXXXXX below `parent`, and own it.
struct MakeDirectory {
  uint32_t request = 0;
  std::string parent;
};
/// breakwire has removed it itself.
struct ForgetDirectory {
  std::string path;
};

// keeper -> guard -> breakwire

struct Ready {
  int32_t guard_pid = 0;
};
struct Spawned {
  ProcessNumber process = 0;
  int32_t pid = 0;
};
/// Nothing runs, nothing else will be said about this process.
struct SpawnFailed {
  ProcessNumber process = 0;
  SpawnStep step{};
  int32_t error = 0;  // errno
};
struct Signalled {
  ProcessNumber process = 0;
  uint32_t request = 0;
  int32_t receivers = 0;  // how many processes it was sent to
};
struct Exited {
  ProcessNumber process = 0;
  int32_t pid = 0;
  int32_t code = -1;    // -1: ended by a signal
  int32_t signo = 0;    // 0: ended by itself
  int64_t time_ns = 0;  // CLOCK_MONOTONIC when it was reaped
};
/// A descendant whose own parent was gone ended and was reaped.
struct OrphanReaped {
  ProcessNumber process = 0;
  int32_t pid = 0;
};
/// The process and everything that descended from it are gone. The last word about it.
struct TreeGone {
  ProcessNumber process = 0;
};
struct DirectoryMade {
  uint32_t request = 0;
  std::string path;
  int32_t error = 0;  // errno; 0: made
};

}  // namespace message

using Message =
    std::variant<message::Spawn, message::Signal, message::MakeDirectory, message::ForgetDirectory,
                 message::Ready, message::Spawned, message::SpawnFailed, message::Signalled, message::Exited,
                 message::OrphanReaped, message::TreeGone, message::DirectoryMade>;

std::string encode(const Message& message);

/// Nothing when the bytes are not one whole message.
std::optional<Message> decode(std::string_view bytes);

/// Sends one packet, waiting while the peer is slow. False, with errno set, when the peer is gone (EPIPE) or
/// the message does not fit into a packet (EMSGSIZE, near 200 kB).
bool send_message(int socket, const Message& message);

/// Waits for one packet. Nothing when the peer is gone; malformed packets are skipped.
std::optional<Message> receive_message(int socket);

}  // namespace breakwire::process
