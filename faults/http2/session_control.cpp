// What faults do to control frames, and what the relay says on its own (RELAY.md rules 2, 5 and 7).
//
// What the relay has to say, ACKs of SETTINGS and what it owes to the flow-control ledger, no fault is asked
// about.
#include <algorithm>
#include <cassert>
#include <utility>

#include "faults/http2/session_core.h"

namespace breakwire::http2 {
namespace {

using faults::ControlFrame;

// "breakw" and a number: our PINGs, so that their ACKs are known. A peer's own of the same eight bytes could
// be told apart by nobody, and by their order alone need not be.
constexpr uint64_t our_pings = 0x627265616b770000;
// A client that does not answer PINGs gets the last stream id all the same; grpc-go's server waits as long.
constexpr Duration patience_for_ack = 5s;

template <class Action>
bool is(const faults::WireAction& action) {
  return std::holds_alternative<Action>(action);
}

}  // namespace

// ---- Asking, and keeping what is not to pass

faults::Ruling Session::Core::ask(Side from, ControlFrame kind, StreamId stream) {
  const Direction direction = direction_from(from);
  faults::Ruling ruling = host_.decide(faults::ControlReached{
      .connection = options_.connection, .direction = direction, .frame = kind, .stream = stream});
  for (const FaultId& fault : ruling.delayed_by) control_hit(fault, direction, faults::Delay{ruling.delay});
  for (const faults::Effect& effect : ruling.effects) {
    const auto* edit = std::get_if<faults::EditSettings>(&effect.action);
    if (edit == nullptr || kind != ControlFrame::settings) continue;
    if (edit->to_caller != (from == Side::upstream)) continue;
    peer(from).announcement.edit(effect.by, edit->values, edit->order);
    control_hit(effect.by, direction, effect.action);
  }
  if (is<faults::Forward>(ruling.action)) return ruling;
  // An ACK of the announcer's next SETTINGS would be taken for one of those that were swallowed.
  if (is<faults::Swallow>(ruling.action) && kind == ControlFrame::settings) {
    assert(!"SETTINGS cannot be swallowed");
    ruling.action = faults::Forward{};
    return ruling;
  }
  control_hit(ruling.by, direction, ruling.action);
  if (is<faults::ResetConnection>(ruling.action) || is<faults::CloseConnection>(ruling.action)) {
    set_demand(is<faults::ResetConnection>(ruling.action), ruling.by);
  } else if (!is<faults::Hold>(ruling.action) && !is<faults::Swallow>(ruling.action)) {
    assert(!"an action that is not for control frames");
    ruling.action = faults::Forward{};
  }
  return ruling;
}

bool Session::Core::may_pass(Side from, ControlFrame kind, const FrameHeader& header, Bytes payload,
                             ObservationLog::Ticket ticket) {
  const faults::Ruling ruling = ask(from, kind, 0);
  if (over_) return false;
  // The SETTINGS that open a direction cannot be kept: nothing may come before them (§3.4).
  if (kind == ControlFrame::settings && !peer(other(from)).begun) return true;
  if (is<faults::Swallow>(ruling.action)) return false;
  ControlQueue& queue = way(direction_from(from)).control;
  const bool held = is<faults::Hold>(ruling.action);
  if (!held && ruling.delay <= Duration::zero() && !queue.waits(kind)) return true;
  WaitingFrame frame{.kind = kind,
                     .header = header,
                     .payload = {reinterpret_cast<const char*>(payload.data()), payload.size()},
                     .ticket = ticket,
                     .due = now_ + std::max(ruling.delay, Duration::zero()),
                     .held_by = held ? ruling.by : FaultId{}};
  for (size_t i = 0; i < ruling.delays.size(); ++i) {
    frame.delays.emplace_back(ruling.delayed_by[i], ruling.delays[i]);
  }
  queue.push(std::move(frame));
  if (queue.size() > options_.limits.queued_control_frames) limit_reached(from, "queued_control_frames");
  return false;
}

void Session::Core::rule_on_increment(Side from, StreamId id, const Stream* stream, FlowLedger& ledger,
                                      int64_t increment) {
  if (increment <= 0) return;  // it repays the relay, and nothing of it would be passed on
  if (!host_.rules_control()) return;
  const faults::Ruling ruling = ask(from, ControlFrame::window_update, stream ? stream->down : 0);
  if (over_ || (is<faults::Forward>(ruling.action) && ruling.delay <= Duration::zero())) return;
  ledger.withhold(increment);
  if (is<faults::Swallow>(ruling.action)) return;
  ControlQueue& queue = way(direction_from(from)).control;
  const bool held = is<faults::Hold>(ruling.action);
  if (ruling.delay <= Duration::zero()) return queue.freeze(id, ruling.by, increment);
  WaitingFrame frame{.kind = ControlFrame::window_update,
                     .header = {.type = FrameType::window_update, .stream = id},
                     .withheld = increment,
                     .due = now_ + ruling.delay,
                     .held_by = held ? ruling.by : FaultId{}};
  for (size_t i = 0; i < ruling.delays.size(); ++i) {
    frame.delays.emplace_back(ruling.delayed_by[i], ruling.delays[i]);
  }
  queue.push(std::move(frame));
  if (queue.size() > options_.limits.queued_control_frames) limit_reached(from, "queued_control_frames");
}

void Session::Core::thaw(Side from, StreamId id, int64_t increment) {
  const Direction direction = direction_from(other(from));
  if (id == 0) {
    way(direction).connection.withhold(-increment);
    return settle_connection(direction);
  }
  Stream* stream = find(from, id);
  if (stream == nullptr) return;
  stream->lane(direction).flow.withhold(-increment);
  settle_stream(*stream, direction);
}

void Session::Core::release_control(Direction direction) {
  while (!over_) {
    const auto frame = way(direction).control.next(now_);
    if (!frame) return;
    pass_kept(sender(direction), *frame);
  }
}

void Session::Core::pass_kept(Side from, const WaitingFrame& frame) {
  const Bytes payload{reinterpret_cast<const uint8_t*>(frame.payload.data()), frame.payload.size()};
  switch (frame.kind) {
    case ControlFrame::settings:
      return pass_settings(from, frame.header.flags, payload);
    case ControlFrame::ping:
    case ControlFrame::ping_ack:
      return pass_ping(from, frame.header.flags, payload, frame.ticket);
    case ControlFrame::window_update:
      return thaw(from, frame.header.stream, frame.withheld);
    case ControlFrame::goaway:
      return pass_goaway(from, payload, frame.ticket);
  }
}

void Session::Core::control_cleared(const FaultId& fault) {
  std::erase_if(drains_,
                [&](const Drain& drain) { return drain.by == fault && drain.step == Drain::Step::waits; });
  std::erase_if(told_of_control_, [&](const auto& told) { return told.first == fault; });
  for (Side announcer : {Side::downstream, Side::upstream}) {
    tell_settings(announcer, peer(announcer).announcement.cleared(fault));
  }
  for (Direction direction : {Direction::request, Direction::response}) {
    for (const auto& [id, increment] : way(direction).control.withdraw(fault)) {
      thaw(sender(direction), id, increment);
    }
    release_control(direction);
  }
}

std::optional<Instant> Session::Core::next_control_due() const {
  std::optional<Instant> next;
  const auto consider = [&next](const std::optional<Instant>& due) {
    if (due && (!next || *due < *next)) next = due;
  };
  for (const Way& way : ways_) consider(way.control.next_due());
  for (const Drain& drain : drains_) {
    if (drain.step == Drain::Step::announced) consider(drain.due);
  }
  return next;
}

void Session::Core::control_hit(const FaultId& fault, Direction direction, const faults::WireAction& action) {
  if (told_of_control_.emplace(fault, direction).second) fault_hit(fault, 0, action);
}

// ---- What the relay says on its own

void Session::Core::act(const FaultId& fault, const faults::WireAction& action, Instant now) {
  if (over_) return;
  now_ = now;
  if (const auto* goaway = std::get_if<faults::SendGoaway>(&action)) {
    drains_.push_back({.by = fault, .what = *goaway});
  } else if (const auto* edit = std::get_if<faults::EditSettings>(&action)) {
    edit_settings(fault, *edit);
  }
  end_turn();
}

void Session::Core::edit_settings(const FaultId& fault, const faults::EditSettings& edit) {
  const Side announcer = edit.to_caller ? Side::upstream : Side::downstream;
  Announcement& announcement = peer(announcer).announcement;
  announcement.edit(fault, edit.values, edit.order);
  if (!peer(other(announcer)).begun) return;  // the announcer's own, when they come, will say it
  const std::vector<Setting> news = announcement.untold();
  if (news.empty()) return;
  control_hit(fault, direction_from(announcer), edit);
  host_.carried_out(fault);
  tell_settings(announcer, news);
}

void Session::Core::tell_settings(Side announcer, const std::vector<Setting>& settings) {
  const Side to = other(announcer);
  if (over_ || settings.empty() || !peer(to).begun) return;
  const std::string payload = serialise(settings);
  append_frame(out(to), FrameType::settings, 0, 0,
               {reinterpret_cast<const uint8_t*>(payload.data()), payload.size()});
  peer(to).output.control_frame();
  peer(to).settings.sent(SettingsQueue::Origin::relay, settings);
}

void Session::Core::go_on_draining() {
  for (size_t i = 0; i < drains_.size() && !over_; ++i) {
    Drain& drain = drains_[i];
    if (drain.step == Drain::Step::waits && peer(Side::downstream).begun) announce(drain);
    if (drain.step == Drain::Step::announced && drain.due <= now_) say_last(drain);
  }
  if (over_) return;
  std::erase_if(drains_, [](const Drain& drain) {
    return drain.step == Drain::Step::said && drain.what.then == faults::SendGoaway::Then::stay;
  });
  const auto over = std::find_if(drains_.begin(), drains_.end(), [this](const Drain& drain) {
    const bool close = drain.what.then == faults::SendGoaway::Then::close;
    return drain.step == Drain::Step::said && (close || streams_.empty());
  });
  if (over != drains_.end()) set_demand(false, FaultId(over->by));
}

void Session::Core::announce(Drain& drain) {
  fault_hit(drain.by, 0, drain.what);
  host_.carried_out(drain.by);
  if (drain.what.last == faults::SendGoaway::Last::forwarded) return say_last(drain);
  append_goaway(out(Side::downstream), goaway_down_.value_or(max_stream_id), Http2Error::no_error,
                drain.what.debug);
  drain.step = Drain::Step::announced;
  drain.ping = our_pings + (pings_++ & 0xffff);
  unanswered_pings_.push_back(drain.ping);
  drain.due = now_ + patience_for_ack;
  std::string payload;
  append_u32(payload, static_cast<uint32_t>(drain.ping >> 32));
  append_u32(payload, static_cast<uint32_t>(drain.ping));
  append_frame(out(Side::downstream), FrameType::ping, 0, 0,
               {reinterpret_cast<const uint8_t*>(payload.data()), payload.size()});
  for (int frames = 0; frames < 2; ++frames) peer(Side::downstream).output.control_frame();
}

/// Streams above the last id count as not processed. Of those that were read by now and wait inside the relay
/// nothing was forwarded; whether they may still be is what `last` decides.
void Session::Core::say_last(Drain& drain) {
  const bool all = drain.what.last == faults::SendGoaway::Last::none_refused;
  const StreamId last = all ? last_down_ : ids_.highest_processed();
  if (!goaway_down_ || last < *goaway_down_) {
    goaway_down_ = last;
    goaway_by_ = drain.by;
  }
  append_goaway(out(Side::downstream), *goaway_down_, drain.what.code, drain.what.debug);
  peer(Side::downstream).output.control_frame();
  drain.step = Drain::Step::said;
  std::vector<StreamId> refused;
  for (auto it = streams_.upper_bound(*goaway_down_); it != streams_.end(); ++it) {
    if (!it->second->opened()) refused.push_back(it->first);
  }
  for (StreamId id : refused) {
    Stream& stream = *streams_.at(id);
    const auto ticket = tell_ended(stream, {.how = faults::Ending::refused_by_goaway, .fault = drain.by});
    ended_leaves(stream, ticket, Side::downstream);
    remove(stream);
  }
}

bool Session::Core::is_our_pings_ack(Side from, const FrameHeader& header, Bytes payload) {
  if (from != Side::downstream || !header.has(flag::ack)) return false;
  const uint64_t ping = read_u64(payload.data());
  const auto ours = std::find(unanswered_pings_.begin(), unanswered_pings_.end(), ping);
  if (ours == unanswered_pings_.end()) return false;
  unanswered_pings_.erase(ours);
  for (Drain& drain : drains_) {
    if (drain.step == Drain::Step::announced && drain.ping == ping) say_last(drain);
  }
  return true;
}

}  // namespace breakwire::http2
