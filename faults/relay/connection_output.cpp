// What goes out to the two peers of a connection, and what faults make of it.
#include <algorithm>
#include <boost/asio.hpp>
#include <utility>

#include "faults/relay/connection.h"

namespace breakwire::relay {

void Connection::send(Side to, std::string_view bytes) {
  auto& target = at(to);
  if (state_ == State::over || target.hung || target.lost || target.fin_sent || target.egress.ended()) return;
  if (target.cut) return;
  const auto passage = ask(to, bytes.size(), target.put);
  std::string changed;
  if (!passage.corruptions.empty()) {
    changed = bytes;
    corrupt(to, passage, changed, target.put);
    bytes = changed;
  }
  if (passage.cut) bytes = bytes.substr(0, passage.let_through);
  target.put += bytes.size();
  if (!bytes.empty()) put(to, bytes, passage.terms);
  if (passage.cut) perform(*passage.cut, to);
}

/// What the session has to say, from where it lies if nothing is to be done to it.
void Connection::send(Side to, const http2::Gathered& output) {
  auto& target = at(to);
  if (edge_.faults.concern_connections() || !target.egress.empty() || !target.peer.is_open() || cut_off(to)) {
    return send(to, output.flat());
  }
  if (state_ == State::over || target.hung || target.lost || target.fin_sent || target.cut) return;
  target.put += output.size();
  auto gone = write_now(to, output);
  for (size_t number = 0; number < output.pieces() && gone; ++number) {
    auto piece = output.piece(number);
    const size_t skipped = std::min(*gone, piece.size());
    *gone -= skipped;
    piece.remove_prefix(skipped);
    if (!piece.empty()) target.egress.push(piece, {}, clock_now());
  }
}

void Connection::put(Side to, std::string_view bytes, const Egress::Terms& terms) {
  auto& target = at(to);
  if (terms.none() && target.egress.empty() && target.peer.is_open() && !cut_off(to)) {
    const auto gone = write_now(to, bytes);
    if (!gone || *gone == bytes.size()) return;
    bytes.remove_prefix(*gone);
  }
  target.egress.push(bytes, terms, clock_now());
}

/// How many bytes have left; nothing when the peer is gone.
template <class Output>
std::optional<size_t> Connection::write_now(Side to, const Output& bytes) {
  auto& target = at(to);
  const auto count = target.peer.write(bytes);
  if (!count) {
    target.hung = true;
    return std::nullopt;
  }
  const auto now = clock_now();
  if (*count > 0) wrote(to, *count, now);
  if (*count == bytes.size() && read_at_) edge_.plane.overhead.add(now - *read_at_);
  return count;
}

/// Writes what is due. Answers whether anything changed.
bool Connection::flush(Side to) {
  auto& target = at(to);
  if (!target.peer.is_open() || target.lost || cut_off(to)) return false;
  const auto now = clock_now();
  bool changed = false;
  while (const auto front = target.egress.front(now)) {
    if (front->kind == Egress::Kind::reset) break;
    if (front->kind == Egress::Kind::fin) {
      target.egress.consume(0, now);
      target.peer.send_fin();
      target.fin_sent = true;
      return true;
    }
    if (target.peer.awaits_writable()) break;
    const auto count = target.peer.write(front->bytes);
    if (!count) {
      target.hung = true;
      target.egress.clear();
      return true;
    }
    const bool all = *count == front->bytes.size();
    target.egress.consume(*count, now);
    if (*count > 0) wrote(to, *count, clock_now());
    changed = changed || *count > 0;
    if (!all) {
      target.peer.when_writable([self = shared_from_this()] { self->settle(); });
      break;
    }
  }
  if (!target.egress.reset_due(now)) return changed;
  end(state_ == State::closing ? closed_by_ : peer_of(other(to)), true, closing_fault_);
  return true;
}

void Connection::wrote(Side to, size_t count, Instant when) {
  at(to).written += count;
  if (session_) session_->written(to, at(to).written, when);
}

/// Answers whether there was any.
bool Connection::take_session_output() {
  if (!session_ || state_ != State::relaying) return false;
  bool any = false;
  for (const auto side : both_sides) {
    while (has_room(side) && state_ == State::relaying) {
      const auto output = session_->gather_output(side);
      if (output.empty()) break;
      any = true;
      send(side, output);
    }
  }
  if (const auto& demand = session_->demand(); demand && state_ == State::relaying) {
    if (demand->reset) {
      end(faults::Peer::relay, true, demand->fault);
    } else {
      begin_closing(faults::Peer::relay, demand->fault);
    }
    any = true;
  }
  return any;
}

/// Of a callee that has left, the answers that faults hold or delay still come first. A caller that has left
/// gets its delayed calls made, but what a fault holds back for good must not keep its FIN from the callee.
bool Connection::fin_waits_for_session(Side to) const {
  if (!has_room(to)) return true;  // there may be output that was not taken yet
  return session_->holds_output(to) && (to == Side::downstream || session_->next_due().has_value());
}

/// A FIN leaves after everything that came before it. Answers whether one has been queued.
bool Connection::pass_on_fins() {
  if (state_ != State::relaying) return false;
  bool any = false;
  for (const auto to : both_sides) {
    auto& target = at(to);
    if (!target.fin_wanted || sniffer_.collected(other(to)) > 0) continue;
    if (!at(other(to)).unheard.empty()) continue;
    if (session_ && fin_waits_for_session(to)) continue;
    target.fin_wanted = false;
    if (target.egress.ended() || target.fin_sent) continue;
    const auto passage = ask(to, 0, target.put);
    if (passage.cut) {
      perform(*passage.cut, to);
      return true;
    }
    target.egress.push_end(Egress::Kind::fin, passage.terms, clock_now());
    any = true;
  }
  return any;
}

Connection::Passage Connection::ask(Side to, size_t count, uint64_t position) {
  Passage passage;
  if (!edge_.faults.concern_connections()) return passage;
  auto ruling = edge_.faults.bytes(id_, way_to(to), count, position);
  for (const auto& fault : ruling.delayed_by) tell_first_hit(to, fault, faults::Delay{ruling.delay});
  passage.terms.delay = ruling.delay;
  passage.terms.delayed_by = std::move(ruling.delayed_by);
  for (const auto& effect : ruling.effects) {
    if (const auto* pace = std::get_if<faults::Pace>(&effect.action)) {
      tell_first_hit(to, effect.by, effect.action);
      passage.terms.paces.push_back({.by = effect.by, .pace = *pace});
    } else if (const auto* how = std::get_if<faults::Corrupt>(&effect.action)) {
      passage.corruptions.push_back({.by = effect.by, .how = *how});
    }
  }
  const auto cuts = [&](size_t let_through) {
    tell_first_hit(to, ruling.by, ruling.action);
    if (!lives() && !std::holds_alternative<faults::Swallow>(ruling.action)) return;  // it ends already
    passage.let_through = std::min(let_through, count);
    passage.cut = ruling;
  };
  if (std::holds_alternative<faults::Hold>(ruling.action)) {
    tell_first_hit(to, ruling.by, ruling.action);
    passage.terms.held_by = ruling.by;
  } else if (const auto* swallow = std::get_if<faults::Swallow>(&ruling.action)) {
    cuts(swallow->let_through);
  } else if (const auto* close = std::get_if<faults::CloseConnection>(&ruling.action)) {
    cuts(close->let_through);
  } else if (const auto* reset = std::get_if<faults::ResetConnection>(&ruling.action)) {
    cuts(reset->let_through);
  }
  return passage;
}

/// A fault is over: what it kept back of the way to `to` passes the others again, or is simply let go when
/// the connection is `ending` anyway. Answers whether it is now.
bool Connection::ask_again(Side to, const FaultId& fault, Instant now, bool ending) {
  auto& target = at(to);
  target.corrupter.forget(fault);
  std::optional<faults::Ruling> cut;
  uint64_t beyond = 0;  // what the cut lets no more pass
  target.egress.reconsider(fault, now, [&](const Egress::Queued& item) {
    if (ending || cut) return Egress::Terms{};
    const uint64_t position = target.put - item.from_end;
    auto passage = ask(to, item.bytes.size(), position);
    corrupt(to, passage, item.bytes, position, item.gone);
    if (passage.cut) beyond = item.from_end - passage.let_through;
    cut = std::move(passage.cut);
    return passage.terms;
  });
  if (!cut) return false;
  target.egress.drop_last(beyond);
  target.put -= beyond;
  perform(*cut, to);
  return !lives();
}

void Connection::corrupt(Side to, const Passage& passage, std::span<char> chunk, uint64_t position,
                         size_t gone) {
  if (passage.corruptions.empty()) return;
  const bool http2 = session_ != nullptr;
  for (const auto& hit : at(to).corrupter.apply(passage.corruptions, chunk, position, http2, gone)) {
    edge_.faults.carried_out(hit.by, id_, way_to(to));
    tell_first_hit(to, hit.by, faults::Corrupt{});
  }
}

void Connection::perform(const faults::Ruling& cut, Side to) {
  const bool reset = std::holds_alternative<faults::ResetConnection>(cut.action);
  if (std::holds_alternative<faults::Swallow>(cut.action)) {
    at(to).cut = true;
  } else if (reset &&
             (at(to).egress.empty() || std::get<faults::ResetConnection>(cut.action).let_through == 0)) {
    end(faults::Peer::relay, true, cut.by);
  } else {
    begin_closing(faults::Peer::relay, cut.by, to, reset);
  }
}

/// One observation for each direction of the connection.
void Connection::tell_first_hit(Side to, const FaultId& fault, const faults::WireAction& action) {
  const std::pair key(fault, way_to(to));
  if (std::find(told_hits_.begin(), told_hits_.end(), key) == told_hits_.end()) {
    told_hits_.push_back(key);
    tell_hit(fault, action);
  } else {
    edge_.last_hits[fault] = clock_now();
  }
}

}  // namespace breakwire::relay
