// When each fault begins and ends: `at`, every `when`, `for`. Pure: fed with events, asked what is due.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/history/history.h"
#include "harness/history/in_flight.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// One instance per run. Entries go waiting -> due -> armed -> due to be cleared -> cleared; `when` is
/// listened to from `begin` on, which is after the baseline.
class Timeline {
 public:
  /// `scenario` must outlive it.
  explicit Timeline(const scenario::Scenario& scenario);

  /// t = 0: from now on `at` counts.
  void start(Instant zero);
  /// The baseline is over: `when` is listened to from now on.
  void listen(Instant now);

  /// Takes in one event; true when something became due by it.
  bool observe(const history::Event& event);

  struct Due {
    size_t entry = 0;  // index into Scenario::timeline
    enum class What { arm, clear } what = What::arm;
  };
  /// What has become due by `now`, earliest first. Each is told once; the caller performs it and says so by
  /// `armed`.
  std::vector<Due> due(Instant now);
  /// The entry has taken effect; its length counts from `at`.
  void armed(size_t entry, Instant at);

  /// The next moment at which something becomes due without any event.
  std::optional<Instant> next() const;
  /// Nothing more becomes due without an event.
  bool quiet() const { return !next(); }

  const history::InFlight& in_flight() const { return in_flight_; }
  /// It acts at one moment and has no length.
  bool is_instant(const FaultId& fault) const;

 private:
  using Call = std::pair<ConnectionId, StreamId>;
  struct State {
    enum class At { waiting, due, armed, cleared } at = At::waiting;
    std::optional<Instant> begins, ends;
    std::set<Call> calls;  // WhenCall: those that have reached the stage
  };
  void remember_method(const history::Event& event);
  bool reaches(const scenario::WhenCall& when, State& state, const history::Event& event) const;
  bool happened(const scenario::When& when, State& state, const history::Event& event);

  const scenario::Scenario& scenario_;
  std::vector<State> states_;
  const history::Setup setup_;
  history::InFlight in_flight_;
  std::optional<Instant> zero_;
  bool listening_ = false;
  bool waits_for_calls_ = false;
  std::map<Call, std::string> methods_;  // of calls under way, when a WhenCall needs to know
};

}  // namespace breakwire::run
