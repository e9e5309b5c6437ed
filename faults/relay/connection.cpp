// How a relayed connection goes on and ends; connection_opening.cpp says how it comes to be,
// connection_traffic.cpp moves its bytes.
#include "faults/relay/connection.h"

#include <algorithm>
#include <boost/asio.hpp>

namespace breakwire::relay {
namespace {

using faults::Protocol;

constexpr Duration patience_in_closing = 2s;  // with a peer that does not answer our FIN
constexpr Duration long_sleep = 4ms;
constexpr Duration wakes_late_by = 250us;  // after a long sleep, at the most, mostly

}  // namespace

Connection::Connection(EdgeState& edge, ConnectionId id, Over over)
    : edge_(edge),
      id_(id),
      over_(std::move(over)),
      ends_{End(edge.plane), End(edge.plane)},
      timer_(edge.plane.io) {}

// ---- What faults and the edge do to it

void Connection::found(const FaultId& fault, const faults::WireAction& action) {
  if (!lives()) return;
  if (std::holds_alternative<faults::ResetConnection>(action)) {
    tell_hit(fault, action);
    end(faults::Peer::relay, true, fault);
  } else if (const auto* ways = std::get_if<faults::Isolate>(&action)) {
    isolate(fault, *ways);
  } else if (std::holds_alternative<faults::CloseConnection>(action)) {
    if (comes_later(action)) {
      close_later(fault, action);
    } else {
      tell_hit(fault, action);
      begin_closing(faults::Peer::relay, fault);
    }
    settle();
  } else if (comes_later(action)) {
    speak(fault, action);
    settle();
  }
}

void Connection::close_later(const FaultId& fault, const faults::WireAction& action) {
  late_closes_.push_back({.at = clock_now() + std::get<faults::CloseConnection>(action).after, .by = fault});
}

void Connection::close_what_is_due(Instant now) {
  const auto due = std::find_if(late_closes_.begin(), late_closes_.end(),
                                [now](const LateClose& close) { return close.at <= now; });
  if (due == late_closes_.end()) return;
  const FaultId by = due->by;
  edge_.faults.carried_out(by, id_);
  tell_hit(by, faults::CloseConnection{});
  begin_closing(faults::Peer::relay, by);
}

void Connection::fault_cleared(const FaultId& fault) {
  if (state_ == State::over) return;
  const auto now = clock_now();
  if (isolation_.remove(fault)) apply_isolation();
  std::erase_if(late_closes_, [&](const LateClose& close) { return close.by == fault; });
  std::erase_if(unsaid_, [&](const auto& unsaid) { return unsaid.first == fault; });
  if (state_ == State::muted) {
    if (muted_by_ == fault && muted_closes_) begin_closing(faults::Peer::relay, fault);
    return settle();
  }
  const bool dial_delayed =
      dial_at_ && std::count(dial_delayed_by_.begin(), dial_delayed_by_.end(), fault) > 0;
  if (dial_delayed || dial_waits_for_path_ || (!dial_held_by_.empty() && dial_held_by_ == fault)) {
    dial_held_by_ = {};
    dial_at_.reset();
    dial_if_there_is_a_path();
  }
  if (session_) session_->fault_cleared(fault, now);
  bool ending = false;
  for (const auto side : both_sides) ending = ask_again(side, fault, now, ending) || ending;
  settle();
}

void Connection::shut_down() { end(faults::Peer::relay, false); }

// ---- How it goes on, and ends

/// Everything that can be done now is done; then it waits for what may come. The end of every event.
void Connection::settle() {
  for (bool again = true; again && state_ != State::over;) {
    again = take_session_output();
    again = pass_on_fins() || again;
    for (const auto side : both_sides) again = flush(side) || again;
    again = hear_the_rest() || again;
    again = hear_the_hung() || again;
  }
  read_at_.reset();
  if (session_) session_->flush_observations();
  if (state_ != State::over && !finish_if_done()) wait_for_more();
}

/// A RST overtakes what its peer was still to read, but not what that peer had sent before it, as far as the
/// other takes it.
bool Connection::hear_the_hung() {
  bool any = false;
  for (const auto side : both_sides) {
    if (state_ == State::over || !at(side).hung || at(side).lost) continue;
    any = true;
    if (wants_input(side)) {
      read_from(side);
    } else {
      reset_by(side);
    }
  }
  return any;
}

bool Connection::finish_if_done() {
  const auto silent = [this](Side side) {
    return !at(side).peer.is_open() || at(side).lost || at(side).fin_sent;
  };
  const auto gone = [this](Side side) {
    return !at(side).peer.is_open() || at(side).lost || at(side).fin_received;
  };
  const bool we_are_silent = silent(Side::downstream) && silent(Side::upstream);
  if (state_ == State::closing) {
    if (!we_are_silent) return false;
    tell_end(closed_by_, false, closing_fault_);
    if (!gone(Side::downstream) || !gone(Side::upstream)) return false;
    end(closed_by_, false, closing_fault_);
    return true;
  }
  if (at(Side::downstream).fin_received && at(Side::upstream).fin_received && we_are_silent) {
    end(peer_of(*first_fin_), false);
    return true;
  }
  return false;
}

void Connection::wait_for_more() {
  for (const auto side : both_sides) {
    if (!wants_input(side)) continue;
    at(side).peer.when_readable([self = shared_from_this(), side] {
      if (self->state_ == State::over) return;
      self->read_from(side);
      self->settle();
    });
  }
  const auto now = clock_now();
  edge_.plane.last_settled = now;
  const auto due = next_due(now);
  if (due == timer_at_) return;
  timer_at_ = due;
  if (!due) {
    timer_.cancel();
    return;
  }
  // A processor that has slept for long wakes up late, so the timer is set early, and the rest waited for
  // awake.
  wake_at(*due - now > long_sleep ? *due - wakes_late_by : *due, *due);
}

void Connection::wake_at(Instant when, Instant due) {
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this(), due](const boost::system::error_code& cancelled) {
    if (!cancelled) self->await_due(due);
  });
}

/// Others get their turns meanwhile; where they had some just now, no processor sleeps for long.
void Connection::await_due(Instant due) {
  if (state_ == State::over || timer_at_ != due) return;
  const auto now = clock_now();
  if (now >= due) return on_timer();
  if (now - edge_.plane.last_settled < long_sleep) return wake_at(due, due);
  asio::post(timer_.get_executor(), [self = shared_from_this(), due] { self->await_due(due); });
}

std::optional<Instant> Connection::next_due(Instant now) const {
  std::optional<Instant> due;
  const auto consider = [&due](const std::optional<Instant>& candidate) {
    if (candidate && (!due || *candidate < *due)) due = candidate;
  };
  for (const auto side : both_sides) {
    const auto& target = at(side);
    consider(target.egress.next_release(now));
    // Since it was last looked at, something may have come due.
    const bool writable =
        target.peer.is_open() && !target.lost && !cut_off(side) && !target.peer.awaits_writable();
    if (writable && target.egress.front(now)) consider(now);
  }
  if (session_) consider(session_->next_due());
  consider(dial_at_);
  consider(handshake_due_);
  consider(closing_due_);
  for (const auto& close : late_closes_) consider(close.at);
  return due;
}

void Connection::on_timer() {
  const auto now = clock_now();
  timer_at_.reset();
  if (dial_at_ && *dial_at_ <= now) {
    dial_at_.reset();
    dial_if_there_is_a_path();
  }
  if (session_) session_->advance(now);
  check_handshake(now);
  close_what_is_due(now);
  if (closing_due_ && *closing_due_ <= now) {
    const auto waits = [&](Side side) {
      const auto& one = at(side);
      return one.egress.kept_by_fault(now) || cut_off(side) ||
             (one.egress.paced() && !one.peer.awaits_writable());
    };
    if (!waits(Side::downstream) && !waits(Side::upstream)) {
      return end(closed_by_, closing_resets_, closing_fault_);
    }
    closing_due_ = now + patience_in_closing;
  }
  settle();
}

void Connection::check_handshake(Instant now) {
  if (!handshake_due_ || *handshake_due_ > now || state_ != State::relaying) return;
  if (cut_off(Side::upstream)) {
    handshake_due_ = now + edge_.options.handshake_timeout;  // its bytes may be lost on the way
    return;
  }
  handshake_due_.reset();
  if (!protocol_ && sniffer_.collected(Side::downstream) > 0 && !opening_.half_done()) {
    return begin(Protocol::tcp);  // it began like TLS, and then nothing
  }
  if (opening_.half_done()) {
    observe(faults::LimitReached{.edge = edge_.options.id,
                                 .connection = id_,
                                 .at = now,
                                 .by = faults::Peer::downstream,
                                 .limit = "handshake_timeout"});
    begin_closing(faults::Peer::relay, {});
  }
}

/// FIN to both once what is queued is written; what still comes is read and thrown away, so that unread bytes
/// do not turn the FIN into a RST. To the side `cut`, what the session has still to say does not go. With
/// `reset`, only what is queued for that side, and then RST to both.
void Connection::begin_closing(faults::Peer by, const FaultId& fault, std::optional<Side> cut, bool reset) {
  if (!lives()) return;
  const auto now = clock_now();
  state_ = State::closing;
  closed_by_ = by;
  closing_fault_ = fault;
  closing_resets_ = reset;
  closing_due_ = now + patience_in_closing;
  handshake_due_.reset();
  dial_at_.reset();
  late_closes_.clear();
  if (dialer_) dialer_->cancel();
  for (const auto side : both_sides) {
    if (!session_ || side == cut || reset) continue;
    for (auto output = session_->take_output(side); !output.empty(); output = session_->take_output(side)) {
      send(side, output);
    }
  }
  for (const auto side : both_sides) {
    if (session_) session_->peer_gone(side, false, now, fault);
    auto& target = at(side);
    if (!target.peer.is_open() || target.lost || target.fin_sent || target.egress.ended()) continue;
    if (reset && side != cut) continue;
    target.egress.push_end(reset ? Egress::Kind::reset : Egress::Kind::fin, {}, now);
  }
}

void Connection::end(faults::Peer by, bool reset, const FaultId& fault) {
  if (state_ == State::over) return;
  const auto self = shared_from_this();
  const auto now = clock_now();
  const bool told = state_ == State::closing;
  state_ = State::over;
  if (session_ && !told) {
    for (const auto side : both_sides) session_->peer_gone(side, reset, now, fault);
  }
  tell_end(by, reset, fault);
  timer_.cancel();
  if (dialer_) dialer_->cancel();
  for (auto& one : ends_) {
    if (!one.peer.is_open()) continue;
    if (reset) {
      one.peer.reset();
    } else {
      one.peer.close();
    }
  }
  edge_.faults.forget(id_);
  over_(id_);
}

void Connection::tell_end(faults::Peer by, bool reset, const FaultId& fault) {
  if (end_told_) return;
  end_told_ = true;
  if (session_) session_->flush_observations();  // the calls' ends come first
  observe(faults::ConnectionEnded{.edge = edge_.options.id,
                                  .connection = id_,
                                  .at = clock_now(),
                                  .by = by,
                                  .reset = reset,
                                  .fault = fault});
}

void Connection::tell_hit(const FaultId& fault, const faults::WireAction& action) {
  edge_.last_hits[fault] = clock_now();
  if (session_) session_->flush_observations();  // what is hit was seen before
  observe(faults::FaultHit{.edge = edge_.options.id,
                           .fault = fault,
                           .connection = id_,
                           .stream = 0,
                           .at = clock_now(),
                           .action = faults::name_of(action)});
}

// ---- http2::SessionHost

faults::Ruling Connection::decide(const faults::CallReached& reached) { return edge_.faults.call(reached); }

void Connection::carried_out(const FaultId& fault, StreamId stream) {
  edge_.faults.carried_out(fault, id_, stream);
}

faults::Ruling Connection::decide(const faults::ControlReached& reached) {
  auto ruling = edge_.faults.control(reached);
  const auto now = clock_now();
  for (const auto& fault : ruling.delayed_by) edge_.last_hits[fault] = now;
  for (const auto& effect : ruling.effects) edge_.last_hits[effect.by] = now;
  if (!ruling.by.empty()) edge_.last_hits[ruling.by] = now;
  return ruling;
}

void Connection::forget(StreamId stream) { edge_.faults.forget(id_, stream); }

void Connection::observe(faults::Observation&& observation) {
  edge_.plane.observer.observe(std::move(observation));
}

void Connection::carried_out(const FaultId& fault) { edge_.faults.carried_out(fault, id_); }

}  // namespace breakwire::relay
