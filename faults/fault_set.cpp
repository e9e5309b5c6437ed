#include "faults/fault_set.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <set>
#include <utility>

#include "faults/edit_fields.h"
#include "faults/match_fields.h"

namespace breakwire::faults {
namespace {

using CallKey = std::pair<ConnectionId, StreamId>;

struct CallRecord {
  bool selected = false;
  bool hit = false;
};

struct ConnectionRecord {
  bool existed = false;  // open when the fault was armed
  bool eligible = false;
  bool hit = false;
  bool hit_requests = false;
  bool hit_responses = false;
  std::array<std::optional<uint64_t>, 2> seen_from;  // the position of the first chunk, by direction
};

bool at_message(Stage stage) { return stage == Stage::request_message || stage == Stage::response_message; }

}  // namespace

struct FaultSet::Entry {
  Entry(WireFaultInstance of, Instant now)
      : instance(std::move(of)), scope(instance.fault->scope()), rng(mix(instance.seed, instance.id.text)) {
    state.armed_at = now;
  }

  WireFaultInstance instance;
  Scope scope;
  Rng rng;
  FaultState state;
  FaultTally tally;
  bool hit_listener = false;
  uint64_t arrivals = 0;  // eligible calls so far
  std::map<CallKey, CallRecord> calls;
  std::map<ConnectionId, ConnectionRecord> connections;

  bool concerns_connections() const { return scope == Scope::anything || scope == Scope::connections; }
  bool concerns_calls() const {
    return scope == Scope::anything || scope == Scope::calls || scope == Scope::new_calls;
  }

  /// Asks the fault; true when it answered anything but Forward.
  bool ask(const WireEvent& event, WireAction& answer) {
    answer = instance.fault->decide(event, state, rng);
    ++state.asked;
    if (auto* edit = std::get_if<EditSettings>(&answer)) edit->order = instance.order;
    const bool acted = !std::holds_alternative<Forward>(answer);
    if (acted) ++state.hits;
    return acted;
  }

  void count_listener() {
    if (std::exchange(hit_listener, true)) return;
    ++tally.eligible;
    ++tally.hits;
  }

  void count_hit(bool& already) {
    if (!already) ++tally.hits;
    already = true;
  }

  /// The connection's record if the fault's `connections` selects it, else nullptr.
  ConnectionRecord* selected(ConnectionId id) {
    ConnectionRecord& record = connections[id];
    const Connections wanted = instance.match.connections;
    if (wanted != Connections::all && (wanted == Connections::existing) != record.existed) return nullptr;
    if (!record.eligible) ++tally.eligible;
    record.eligible = true;
    return &record;
  }

  /// The call's record if it is selected and the fault is to be asked at this stage, else nullptr.
  CallRecord* selected(const CallReached& reached) {
    const Match& match = instance.match;
    const bool here = !match.stage || *match.stage == reached.stage;
    const CallFacts& call = *reached.call;
    const CallKey key{call.connection, call.stream};
    auto known = calls.find(key);
    if (known == calls.end()) {
      const bool under_way = reached.stage != Stage::headers;
      if (under_way && (scope == Scope::new_calls || !here)) return nullptr;
      known = calls.emplace(key, CallRecord{.selected = eligible(call) && select(call)}).first;
    }
    if (!known->second.selected || !here) return nullptr;
    if (match.message && at_message(reached.stage) && *match.message != reached.message) return nullptr;
    return &known->second;
  }

  /// As far as can be told without its metadata.
  bool may_select(const CallFacts& call) const {
    const Match& match = instance.match;
    return (!match.method || matches_pattern(*match.method, call.method)) &&
           (!match.attempts || call.previous_attempts < *match.attempts);
  }
  bool eligible(const CallFacts& call) const {
    return may_select(call) && fields_match(instance.match.metadata, call.metadata);
  }

  /// Counts an eligible call and says whether `calls` picks it.
  bool select(const CallFacts& call) {
    ++tally.eligible;
    const uint64_t number = ++arrivals;
    const CallSelection& pick = instance.match.calls;
    if (pick.first && number > *pick.first) return false;
    if (pick.nth && number != *pick.nth) return false;
    if (pick.every && (*pick.every == 0 || number % *pick.every != 0)) return false;
    return !pick.percent || draw(call, number) < *pick.percent;
  }

  /// In [0, 100), the same for the same call whatever else happens on the edge.
  double draw(const CallFacts& call, uint64_t number) const {
    uint64_t seed = mix(instance.seed, instance.id.text);
    seed = call.trace_id.empty() ? mix(seed, number) : mix(seed, call.trace_id);
    return 100 * Rng(mix(seed, uint64_t{call.previous_attempts})).uniform();
  }
};

namespace {

/// Adds one fault's answer to a ruling; true when nobody else is to be asked.
bool add(Ruling& ruling, const FaultId& id, WireAction answer) {
  if (const auto* delay = std::get_if<Delay>(&answer)) {
    ruling.delay += delay->by;
    ruling.delayed_by.push_back(id);
    ruling.delays.push_back(delay->by);
    return false;
  }
  if (is_effect(answer)) {
    ruling.effects.push_back({.by = id, .action = std::move(answer)});
    return false;
  }
  ruling.action = std::move(answer);
  ruling.by = id;
  return true;
}

bool& hit_mark(ConnectionRecord& record, Direction direction) {
  return direction == Direction::request ? record.hit_requests : record.hit_responses;
}

}  // namespace

WireAction FaultSet::arm(WireFaultInstance instance, Instant now) {
  assert(instance.fault && !armed(instance.id));
  auto entry = std::make_shared<Entry>(std::move(instance), now);
  WireAction answer = entry->instance.fault->decide(Armed{now}, entry->state, entry->rng);
  // What it would do to the listener is for connections to come.
  if (entry->instance.match.connections == Connections::existing) answer = Forward{};
  if (is_terminal(answer)) entry->count_listener();
  const auto later = [](const auto& a, const auto& b) { return a->instance.order < b->instance.order; };
  armed_.insert(std::upper_bound(armed_.begin(), armed_.end(), entry, later), entry);
  return answer;
}

WireAction FaultSet::clear(const FaultId& id, Instant now) {
  const auto found =
      std::find_if(armed_.begin(), armed_.end(), [&](const auto& entry) { return entry->instance.id == id; });
  assert(found != armed_.end());
  const std::shared_ptr<Entry> entry = *found;
  armed_.erase(found);
  FaultTally& sum = cleared_[id];
  sum.eligible += entry->tally.eligible;
  sum.hits += entry->tally.hits;
  return entry->instance.fault->decide(Cleared{now}, entry->state, entry->rng);
}

WireAction FaultSet::found(const FaultId& id, ConnectionId connection) {
  WireAction answer;
  for (const auto& entry : armed_) {
    if (entry->instance.id != id || !entry->concerns_connections()) continue;
    entry->connections[connection].existed = true;
    ConnectionRecord* record = entry->selected(connection);
    if (record && entry->ask(ConnectionFound{connection}, answer) && !comes_later(answer)) {
      entry->count_hit(record->hit);
    }
  }
  return answer;
}

Ruling FaultSet::offered(ConnectionId connection) {
  Ruling ruling;
  bool decided = false;
  for (const auto& entry : armed_) {
    if (!entry->concerns_connections()) continue;
    ConnectionRecord* record = entry->selected(connection);
    if (!record || decided) continue;
    WireAction answer;
    if (!entry->ask(ConnectionOffered{connection}, answer)) continue;
    if (comes_later(answer)) {
      ruling.later.push_back({.by = entry->instance.id, .action = std::move(answer)});
      continue;
    }
    entry->count_hit(record->hit);
    decided = add(ruling, entry->instance.id, std::move(answer));
  }
  return ruling;
}

Ruling FaultSet::bytes(ConnectionId connection, Direction direction, size_t count, uint64_t position) {
  Ruling ruling;
  bool decided = false;
  for (const auto& entry : armed_) {
    if (!entry->concerns_connections()) continue;
    ConnectionRecord* record = entry->selected(connection);
    if (!record) continue;
    // Also when it is not asked now, because another fault holds the chunk: then it is, when that is over.
    auto& from = record->seen_from[direction == Direction::request ? 0 : 1];
    if (!from) from = position;
    const auto& wanted = entry->instance.match.direction;
    if (decided || (wanted && *wanted != direction)) continue;
    WireAction answer;
    if (!entry->ask(BytesReady{connection, direction, count, position - *from}, answer)) continue;
    if (!comes_later(answer)) entry->count_hit(hit_mark(*record, direction));
    decided = add(ruling, entry->instance.id, std::move(answer));
  }
  return ruling;
}

Ruling FaultSet::call(const CallReached& reached) {
  assert(reached.call);
  if (reached.early) return early(reached);
  Ruling ruling;
  CallReached asked = reached;
  Metadata edited;  // the fields as the faults so far leave them
  bool decided = false;
  for (const auto& entry : armed_) {
    if (!entry->concerns_calls()) continue;
    CallRecord* record = entry->selected(reached);
    if (!record || decided) continue;
    WireAction answer;
    if (!entry->ask(asked, answer)) continue;
    const bool waits = is_effect(answer) || (is_terminal(answer) && ruling.delay > Duration::zero());
    if (!waits) entry->count_hit(record->hit);
    if (const auto* edit = std::get_if<EditFields>(&answer); edit && asked.fields) {
      if (asked.fields != &edited) edited = *asked.fields;
      edit_fields(*edit, edited);
      asked.fields = &edited;
    }
    decided = add(ruling, entry->instance.id, std::move(answer));
  }
  return ruling;
}

/// Leaves no trace in faults that are asked again about the whole message, not even in what they draw.
Ruling FaultSet::early(const CallReached& reached) {
  struct Answer {
    Entry& entry;
    CallRecord& record;
    WireAction action;
    Rng rng;  // as it is once it has answered
  };
  std::vector<Answer> answers;  // delays, and then the cut
  bool decided = false;
  for (const auto& entry : armed_) {
    if (!entry->concerns_calls()) continue;
    CallRecord* record = entry->selected(reached);
    if (!record || decided) continue;
    Rng rng = entry->rng;
    WireAction action = entry->instance.fault->decide(reached, entry->state, rng);
    decided = is_terminal(action);
    if (decided || std::holds_alternative<Delay>(action)) {
      answers.push_back({.entry = *entry, .record = *record, .action = std::move(action), .rng = rng});
    }
  }
  if (!decided || !std::holds_alternative<CutMessage>(answers.back().action)) return {};
  Ruling ruling;
  for (auto& [entry, record, action, rng] : answers) {
    entry.rng = rng;
    ++entry.state.asked;
    ++entry.state.hits;
    const bool waits = is_terminal(action) && ruling.delay > Duration::zero();
    if (!waits) entry.count_hit(record.hit);
    add(ruling, entry.instance.id, std::move(action));
  }
  return ruling;
}

Ruling FaultSet::control(const ControlReached& reached) {
  Ruling ruling;
  bool decided = false;
  for (const auto& entry : armed_) {
    if (!entry->concerns_connections()) continue;
    ConnectionRecord* record = entry->selected(reached.connection);
    const auto& wanted = entry->instance.match.direction;
    if (!record || decided || (wanted && *wanted != reached.direction)) continue;
    WireAction answer;
    if (!entry->ask(reached, answer)) continue;
    entry->count_hit(hit_mark(*record, reached.direction));
    decided = add(ruling, entry->instance.id, std::move(answer));
  }
  return ruling;
}

void FaultSet::carried_out(const FaultId& id, ConnectionId connection, std::optional<Direction> direction) {
  for (const auto& entry : armed_) {
    if (entry->instance.id != id) continue;
    ConnectionRecord& record = entry->connections[connection];
    entry->count_hit(direction ? hit_mark(record, *direction) : record.hit);
  }
}

void FaultSet::carried_out(const FaultId& id, ConnectionId connection, StreamId stream) {
  for (const auto& entry : armed_) {
    if (entry->instance.id != id) continue;
    const auto call = entry->calls.find({connection, stream});
    if (call != entry->calls.end()) entry->count_hit(call->second.hit);
  }
}

void FaultSet::carried_out(const FaultId& id) {
  for (const auto& entry : armed_) {
    if (entry->instance.id == id) entry->count_listener();
  }
}

void FaultSet::forget(ConnectionId connection, StreamId stream) {
  for (const auto& entry : armed_) entry->calls.erase({connection, stream});
}

void FaultSet::forget(ConnectionId connection) {
  for (const auto& entry : armed_) {
    entry->connections.erase(connection);
    const auto first = entry->calls.lower_bound({connection, 0});
    auto last = first;
    while (last != entry->calls.end() && last->first.first == connection) ++last;
    entry->calls.erase(first, last);
  }
}

bool FaultSet::concern_connections() const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [](const auto& entry) { return entry->concerns_connections(); });
}

bool FaultSet::concern(const CallFacts& call) const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [&](const auto& entry) { return entry->concerns_calls() && entry->may_select(call); });
}

bool FaultSet::armed(const FaultId& id) const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [&](const auto& entry) { return entry->instance.id == id; });
}

FaultTally FaultSet::tally(const FaultId& id) const {
  FaultTally sum;
  if (const auto past = cleared_.find(id); past != cleared_.end()) sum = past->second;
  for (const auto& entry : armed_) {
    if (entry->instance.id != id) continue;
    sum.eligible += entry->tally.eligible;
    sum.hits += entry->tally.hits;
  }
  return sum;
}

}  // namespace breakwire::faults
