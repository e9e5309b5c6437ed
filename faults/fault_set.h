// The wire faults in force on one edge, asked in timeline order. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "faults/fault.h"

namespace breakwire::faults {

/// The sum over a fault's life on its edge. A listener that was stopped counts as one eligible and one hit;
/// one that is deaf does once a SYN was lost.
struct FaultTally {
  /// Connections (transport faults) or calls (call faults) that matched before selection.
  uint64_t eligible = 0;
  /// Calls that got an answer other than Forward, once each however many stages that took; connections
  /// likewise, once for each direction whose bytes were hit and once for the connection itself.
  uint64_t hits = 0;
  bool operator==(const FaultTally&) const = default;
};

/// An answer beside the one that decides, and who gave it.
struct Effect {
  FaultId by;
  WireAction action;
};

/// What several faults together say to one event: delays added up, effects in timeline order, the first
/// terminal action, and who said it.
struct Ruling {
  Duration delay{};
  WireAction action = Forward{};
  FaultId by;                       // of the terminal action
  std::vector<FaultId> delayed_by;  // the faults whose delays are in `delay`
  std::vector<Duration> delays;     // how much of it is whose, in the order of `delayed_by`
  std::vector<Effect> effects;
  /// Of a connection: what is to be done to it later (`comes_later`), which keeps nobody else from acting on
  /// it now.
  std::vector<Effect> later;
};

/// Faults act in the order of the timeline, whenever they were armed. Selection of calls is made once per
/// call, at stage `headers` (or at the first stage seen when the call was under way already), and remembered
/// until `forget`. `percent` is a pure function of (seed, fault id, trace id, attempt), so it depends neither
/// on the order of arrival nor on other faults; a call without a trace id is drawn by its arrival number.
///
/// A fault with `match.stage` is asked at that stage only, and a call that was under way when it was armed
/// counts from the moment it reaches that stage. Every fault counts and selects for itself: a terminal answer
/// of an earlier fault keeps later ones from acting on the event, never from counting the call.
///
/// What is to be done later is a hit once it is done (`carried_out`), since by then it may not be: what
/// `comes_later`, the terminal answer about a call that earlier faults delay, and effects on a call, which an
/// answer of a later fault in the service's place leaves nothing to act on.
class FaultSet {
 public:
  /// Arms it and answers for Armed (StopListening, or Forward).
  WireAction arm(WireFaultInstance instance, Instant now);
  /// Disarms it and answers for Cleared. What it held is the caller's to release.
  WireAction clear(const FaultId& id, Instant now);

  /// `existing` says, of a connection's event, whether the connection was open when `fault` was armed: each
  /// fault remembers the ids it was told by `found`. The ruling of one fault about a connection that exists
  /// as it is armed (ConnectionFound).
  WireAction found(const FaultId& id, ConnectionId connection);
  Ruling offered(ConnectionId connection);
  /// `position`: how many bytes of that direction came before the chunk, also when it is asked about again.
  Ruling bytes(ConnectionId connection, Direction direction, size_t count, uint64_t position = 0);
  Ruling call(const CallReached& reached);
  Ruling control(const ControlReached& reached);

  /// What the fault had answered for later has happened to the connection, to its bytes in that direction, or
  /// to the call: a hit. Nothing happens when it was counted already.
  void carried_out(const FaultId& id, ConnectionId connection, std::optional<Direction> direction = {});
  void carried_out(const FaultId& id, ConnectionId connection, StreamId stream);
  /// Likewise to somebody who dials: what the fault does to the listener counts once.
  void carried_out(const FaultId& id);

  void forget(ConnectionId connection, StreamId stream);
  void forget(ConnectionId connection);

  bool empty() const { return armed_.empty(); }
  /// Could any of them say something about connections, or about this call, whose metadata need not be known?
  /// Else asking leads nowhere, and leaves nothing behind.
  bool concern_connections() const;
  bool concern(const CallFacts& call) const;
  bool armed(const FaultId& id) const;
  FaultTally tally(const FaultId& id) const;  // also of cleared ones

 private:
  struct Entry;
  Ruling early(const CallReached& reached);

  std::vector<std::shared_ptr<Entry>> armed_;
  std::map<FaultId, FaultTally> cleared_;
};

}  // namespace breakwire::faults
