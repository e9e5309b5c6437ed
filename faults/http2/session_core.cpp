#include "faults/http2/session_core.h"

#include <algorithm>
#include <utility>

namespace breakwire::http2 {
namespace {

/// So much unwritten output towards one peer stops the reading from the other.
constexpr uint64_t high_water = 256 * 1024;

faults::Peer peer_of(Side side) {
  return side == Side::downstream ? faults::Peer::downstream : faults::Peer::upstream;
}

}  // namespace

Session::Core::Core(SessionOptions options, SessionHost& host)
    : options_(std::move(options)),
      host_(host),
      own_workspace_(options_.workspace == nullptr ? std::make_unique<Workspace>() : nullptr),
      workspace_(options_.workspace == nullptr ? *own_workspace_ : *options_.workspace),
      log_(
          options_.edge, options_.connection,
          [&host](faults::Observation&& observation) { host.observe(std::move(observation)); },
          &workspace_.line),
      peers_{
          PeerState{FrameReader{{options_.limits.field_block_bytes, options_.limits.continuations}, true}},
          PeerState{FrameReader{{options_.limits.field_block_bytes, options_.limits.continuations}, false}}} {
}

void Session::Core::receive(Side from, Bytes bytes, Instant now, bool lent) {
  if (over_) return;
  now_ = now;
  lent_ = lent;
  Sink sink{*this, from};
  peer(from).reader.feed(bytes, sink);
  end_turn();
  lent_ = false;
}

void Session::Core::written(Side to, uint64_t total, Instant now) {
  now_ = now;
  log_.written(to, total, now);
  Way& towards = way(direction_from(other(to)));
  if (!towards.waiting_for_room.empty() && peer(to).output.backlog() < high_water) {
    towards.room_opened = true;
    end_turn();
  }
}

void Session::Core::peer_gone(Side side, bool reset, Instant now, const FaultId& by) {
  now_ = now;
  peer(side).gone = true;
  if (reset || (peer(Side::downstream).gone && peer(Side::upstream).gone)) {
    end_all_calls(by);
    over_ = true;
  }
  log_.settle();
}

void Session::Core::fault_cleared(const FaultId& fault, Instant now) {
  now_ = now;
  std::vector<StreamId> held;
  for (auto& [id, stream] : streams_) {
    if (stream->withheld_by == fault && !stream->discarded) stream->withheld_by = {};
    for (Direction direction : {Direction::request, Direction::response}) {
      const bool was_slow = unpace(*stream, direction, fault);
      const bool was_held = stream->lane(direction).gate && withdraw(*stream, direction, fault);
      if (was_slow || was_held) held.push_back(id);
    }
  }
  for (StreamId id : held) {
    for (Direction direction : {Direction::request, Direction::response}) {
      if (const auto it = streams_.find(id); it != streams_.end()) pump(*it->second, direction);
    }
  }
  control_cleared(fault);
  end_turn();
}

void Session::Core::advance(Instant now) {
  now_ = now;
  for (Direction direction : {Direction::request, Direction::response}) release_control(direction);
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto [id, direction] = due_.begin()->second;
    due_.erase(due_.begin());
    if (const auto it = streams_.find(id); it != streams_.end()) pump(*it->second, direction);
  }
  end_turn();
}

std::optional<Instant> Session::Core::next_due() const {
  const std::optional<Instant> control = next_control_due();
  if (due_.empty()) return control;
  return std::min(due_.begin()->first, control.value_or(due_.begin()->first));
}

bool Session::Core::wants_input(Side from) const {
  const Output& towards = peer(other(from)).output;
  return !over_ && towards.backlog() < high_water &&
         towards.control_backlog() < options_.limits.queued_control_frames / 2 &&
         way(direction_from(from)).kept < options_.limits.queued_output_bytes;
}

bool Session::Core::holds_output(Side to) const {
  const Direction direction = direction_from(other(to));
  if (way(direction).control.waits(faults::ControlFrame::goaway)) return true;
  return std::any_of(streams_.begin(), streams_.end(),
                     [&](const auto& entry) { return !entry.second->lane(direction).waiting.empty(); });
}

void Session::Core::end_turn() {
  // What waits for the upstream's slots or a receiver's room may free more of them as it leaves.
  for (bool again = true; again && !over_;) {
    again = false;
    if (std::exchange(downstream_begun_, false)) {
      std::vector<StreamId> calls;
      for (const auto& [id, stream] : streams_) calls.push_back(id);
      for (StreamId id : calls) {
        const auto it = streams_.find(id);
        if (it == streams_.end()) continue;
        settle_stream(*it->second, Direction::request);
        pump(*it->second, Direction::request);
      }
      again = true;
    }
    if (std::exchange(slot_freed_, false)) {
      for (StreamId id : std::exchange(waiting_for_slot_, {})) {
        if (const auto it = streams_.find(id); it != streams_.end()) pump(*it->second, Direction::request);
      }
      again = true;
    }
    for (Direction direction : {Direction::request, Direction::response}) {
      if (!std::exchange(way(direction).room_opened, false)) continue;
      for (StreamId id : std::exchange(way(direction).waiting_for_room, {})) {
        if (const auto it = streams_.find(id); it != streams_.end()) pump(*it->second, direction);
      }
      again = true;
    }
  }
  go_on_draining();
  check_limits();
  log_.settle();
}

void Session::Core::check_limits() {
  for (Side side : {Side::downstream, Side::upstream}) {
    if (over_) return;
    const Output& output = peer(side).output;
    if (output.backlog() > options_.limits.queued_output_bytes) limit_reached(side, "queued_output_bytes");
    if (over_) return;
    if (output.control_backlog() > options_.limits.queued_control_frames) {
      limit_reached(side, "queued_control_frames");
    }
  }
}

void Session::Core::violation(Side by, Http2Error code, const std::string& what) {
  if (over_) return;
  log_.add(faults::ProtocolViolation{
      .edge = options_.edge, .connection = options_.connection, .at = now_, .by = peer_of(by), .what = what});
  say_goaway(by, code);
  set_demand(false, {});
}

void Session::Core::limit_reached(Side by, const std::string& option) {
  if (over_) return;
  log_.add(faults::LimitReached{.edge = options_.edge,
                                .connection = options_.connection,
                                .at = now_,
                                .by = peer_of(by),
                                .limit = option});
  say_goaway(by, Http2Error::enhance_your_calm);
  set_demand(false, {});
}

void Session::Core::say_goaway(Side to, Http2Error code) {
  if (!peer(to).begun) return;  // GOAWAY may be left out, SETTINGS not (§3.4)
  // Streams above the last id count as not processed: only those may, of which nothing was forwarded.
  const StreamId last =
      to == Side::downstream ? std::min(ids_.highest_processed(), goaway_down_.value_or(max_stream_id)) : 0;
  append_goaway(out(to), last, code, {});
  peer(to).output.control_frame();
}

void Session::Core::set_demand(bool reset, const FaultId& fault) {
  if (demand_) return;
  demand_ = Demand{reset, fault};
  end_all_calls(fault);
  over_ = true;
}

void Session::Core::end_all_calls(const FaultId& by) {
  while (!streams_.empty()) {
    Stream& stream = *streams_.begin()->second;
    tell_ended(stream, {.how = by.empty() ? faults::Ending::connection_lost : faults::Ending::ended_by_fault,
                        .fault = by});
    host_.forget(stream.down);
    streams_.erase(streams_.begin());
  }
  open_calls_bytes_ = 0;
  by_up_.clear();
  due_.clear();
  waiting_for_slot_.clear();
  drains_.clear();
  for (Way& way : ways_) {
    way.control.clear();
    way.waiting_for_room.clear();
    way.kept = 0;
    way.held = 0;
  }
}

Stream* Session::Core::find(Side from, StreamId id) {
  if (from == Side::downstream) {
    const auto it = streams_.find(id);
    return it == streams_.end() ? nullptr : it->second.get();
  }
  const auto it = by_up_.find(id);
  return it == by_up_.end() ? nullptr : it->second;
}

bool Session::Core::is_idle(Side from, StreamId id) const {
  if (id % 2 == 0) return true;  // streams opened by servers do not exist
  return id > (from == Side::downstream ? last_down_ : ids_.last_up());
}

void Session::Core::remove(Stream& stream) {
  discard(stream, Direction::request);
  discard(stream, Direction::response);
  free_slot(stream);
  if (stream.opened()) {
    if (stream.lane(Direction::response).received_end) ids_.finished(stream.up);
    by_up_.erase(stream.up);
    way(Direction::response).control.forget(stream.up);
  }
  way(Direction::request).control.forget(stream.down);
  host_.forget(stream.down);
  workspace_.give_back(std::move(stream.request));
  for (Way& way : ways_) {
    if (!way.waiting_for_room.empty()) way.waiting_for_room.erase(stream.down);
  }
  if (!waiting_for_slot_.empty()) waiting_for_slot_.erase(stream.down);
  open_calls_bytes_ -= stream.fields_cost;
  streams_.erase(stream.down);
}

void Session::Core::free_slot(Stream& stream) {
  if (!std::exchange(stream.takes_slot, false)) return;
  --upstream_open_;
  slot_freed_ = true;
}

void Session::Core::discard(Stream& stream, Direction direction) {
  Lane& lane = stream.lane(direction);
  if (lane.waiting.empty() && lane.flow.buffered() == 0 && !lane.gate && !lane.paced_until &&
      lane.counted_as_held == 0) {
    return;
  }
  Way& on = way(direction);
  for (const Item& item : lane.waiting) on.kept -= item.charged;
  lane.waiting.clear();
  if (lane.gate) forget_due(lane.gate->due, stream.down, direction);
  if (lane.paced_until) forget_due(*lane.paced_until, stream.down, direction);
  lane.gate.reset();
  lane.paced_until.reset();
  const int64_t n = lane.flow.buffered();
  lane.flow.discarded(n);
  on.connection.discarded(n);
  update_held(stream, direction);
  settle_connection(direction);
}

void Session::Core::forget_due(Instant due, StreamId stream, Direction direction) {
  const auto [begin, end] = due_.equal_range(due);
  const auto it = std::find_if(begin, end, [&](const auto& entry) {
    return entry.second == std::pair{stream, direction};
  });
  if (it != end) due_.erase(it);
}

void Session::Core::update_held(Stream& stream, Direction direction) {
  Lane& lane = stream.lane(direction);
  Way& on = way(direction);
  const bool held = lane.gate || !lane.paces.empty() || (direction == Direction::request && !stream.opened());
  const int64_t now_held = held ? lane.flow.buffered() : 0;
  on.held += now_held - lane.counted_as_held;
  lane.counted_as_held = now_held;
  if (on.held >= static_cast<int64_t>(options_.limits.held_bytes) && !on.held_told) {
    on.held_told = true;
    log_.add(faults::LimitReached{.edge = options_.edge,
                                  .connection = options_.connection,
                                  .at = now_,
                                  .by = peer_of(sender(direction)),
                                  .limit = "held_bytes"});
  }
}

int64_t Session::Core::advance_for_held(Direction direction) const {
  return std::min(way(direction).held, static_cast<int64_t>(options_.limits.held_bytes));
}

void Session::Core::settle_connection(Direction direction) {
  if (!peer(sender(direction)).begun) return;
  Way& on = way(direction);
  const int64_t due = on.connection.credit_due(advance_for_held(direction));
  if (due <= 0) return;
  on.connection.credited(due);
  send_window_update(sender(direction), 0, static_cast<uint32_t>(due));
}

void Session::Core::settle_stream(Stream& stream, Direction direction) {
  if (!peer(sender(direction)).begun) return;
  if (direction == Direction::request && stream.down_reset) return;
  if (direction == Direction::response && (!stream.opened() || stream.up_closed())) return;
  Lane& lane = stream.lane(direction);
  const int64_t due = lane.flow.credit_due();
  if (due <= 0) return;
  lane.flow.credited(due);
  send_window_update(sender(direction), direction == Direction::request ? stream.down : stream.up,
                     static_cast<uint32_t>(due));
}

void Session::Core::send_reset(Side to, StreamId id, Http2Error code) {
  append_rst_stream(out(to), id, code);
  peer(to).output.control_frame();
}

void Session::Core::send_window_update(Side to, StreamId id, uint32_t increment) {
  append_window_update(out(to), id, increment);
  peer(to).output.control_frame();
}

}  // namespace breakwire::http2
