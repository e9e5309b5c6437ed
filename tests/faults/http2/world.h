// A client and a server of libnghttp2 with the session between them, and a fault that a test writes as a
// function.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "faults/http2/session.h"
#include "tests/faults/http2/endpoint.h"

namespace breakwire::http2::testing {

/// Answers by a function and remembers everything that was told.
class ScriptedHost final : public SessionHost {
 public:
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
  std::vector<faults::Observation> seen;
  std::vector<StreamId> forgotten;
  std::vector<std::pair<FaultId, StreamId>> done;  // what rulings asked for and was carried out
  std::vector<FaultId> carried;
  size_t asked = 0;
};

/// The ruling of one fault.
inline faults::Ruling ruling(faults::WireAction action, std::string by = "f") {
  return {.action = std::move(action), .by = {std::move(by)}};
}

faults::Metadata request_fields(const std::string& method, faults::Metadata more = {});
faults::Metadata response_fields();
faults::Metadata ok_trailers();

class World {
 public:
  struct Options {
    Endpoint::Options client;
    Endpoint::Options server;
    Limits limits;
    uint64_t seed = 0;          // 0: whole chunks
    bool write_at_once = true;  // what is taken counts as written in the same turn
    bool slow_sockets = false;  // with a seed: what is taken reaches the peers bit by bit
  };
  World() : World(Options{}) {}
  explicit World(Options options);

  /// Carries bytes both ways until nothing moves any more.
  void run();
  /// One hop of one side's bytes: endpoint to session, session to endpoints.
  bool step(Side from);
  void receive(Side from, std::string_view bytes);
  /// Takes what the endpoint wants to send now, without carrying it on.
  void collect(Side from) { unread_[from] += (from == Side::downstream ? client : server).output(); }
  /// False when nothing was there.
  bool deliver();
  /// Lets time pass and releases what has become due.
  void wait(Duration time);

  /// The server answers every request with its own body, OK.
  void echo();
  std::vector<std::string> complaints() const;

  ScriptedHost host;
  Session session;
  Endpoint client;
  Endpoint server;
  Instant now{};

 private:
  Options options_;
  Rng rng_;
  std::map<Side, std::string> unread_;     // sent by an endpoint, not yet read by the session
  std::map<Side, std::string> unwritten_;  // taken from the session, not yet on the socket
  std::map<Side, uint64_t> written_;
};

}  // namespace breakwire::http2::testing
