// Two ends of a connection with the session between them, in memory: bytes are cut anywhere and carried in
// any order of turns that sockets allow. And a fault that a test writes as a function.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "faults/http2/session.h"
#include "tests/faults/http2/end.h"
#include "tests/faults/http2/lending.h"

namespace breakwire::http2::testing {

/// Answers by a function and remembers everything that was told.
class ScriptedHost final : public SessionHost {
 public:
  bool rules(const faults::CallFacts& call) const override { return call.method != unruled; }
  faults::Ruling decide(const faults::CallReached& reached) override {
    ++asked;
    const auto& what = reached.again ? rule_again : rule;
    return what ? what(reached) : faults::Ruling{};
  }
  void carried_out(const FaultId& fault, StreamId stream) override { done.emplace_back(fault, stream); }
  faults::Ruling decide(const faults::ControlReached& reached) override {
    return control_rule ? control_rule(reached) : faults::Ruling{};
  }
  void forget(StreamId stream) override { forgotten.push_back(stream); }
  void observe(faults::Observation&& observation) override { seen.push_back(std::move(observation)); }
  void carried_out(const FaultId& fault) override { carried.push_back(fault); }

  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& observation : seen) {
      if (const auto* one = std::get_if<T>(&observation)) found.push_back(*one);
    }
    return found;
  }

  std::function<faults::Ruling(const faults::CallReached&)> rule;
  std::function<faults::Ruling(const faults::CallReached&)> rule_again;  // what a cleared fault had decided
  std::function<faults::Ruling(const faults::ControlReached&)> control_rule;
  std::string unruled;  // the method that no fault can concern
  std::vector<faults::Observation> seen;
  std::vector<StreamId> forgotten;
  std::vector<std::pair<FaultId, StreamId>> done;  // what rulings asked for and was carried out
  std::vector<FaultId> carried;
  size_t asked = 0;
};

class Carrier {
 public:
  struct Options {
    Limits limits;
    uint64_t seed = 0;          // 0: whole chunks
    bool write_at_once = true;  // what is taken counts as written in the same turn
    bool slow_sockets = false;  // with a seed: what is taken reaches the peers bit by bit
  };
  /// The ends outlive it; they are not used before the first call.
  Carrier(Options options, End& downstream, End& upstream);

  /// Carries bytes both ways until nothing moves any more.
  void run();
  /// One hop of one side's bytes: end to session, session to ends.
  bool step(Side from);
  void receive(Side from, std::string_view bytes);
  /// Takes what the end wants to send now, without carrying it on.
  void collect(Side from) { unread_[from] += end(from).output(); }
  /// False when nothing was there.
  bool deliver();
  /// Lets time pass and releases what has become due.
  void wait(Duration time);
  /// What the relay found fault with.
  std::vector<std::string> relay_complaints() const;

  ScriptedHost host;
  Session session;
  Instant now{};

 private:
  End& end(Side side) { return side == Side::downstream ? downstream_ : upstream_; }

  Options options_;
  Rng rng_;
  End& downstream_;
  End& upstream_;
  Lender lender_;
  std::map<Side, std::string> unread_;     // sent by an end, not yet read by the session
  std::map<Side, std::string> unwritten_;  // taken from the session, not yet on the socket
  std::map<Side, uint64_t> written_;
};

}  // namespace breakwire::http2::testing
