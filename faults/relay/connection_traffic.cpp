// What comes in from the two peers of a connection; connection_output.cpp says what goes out to them.
#include <algorithm>
#include <boost/asio.hpp>
#include <utility>

#include "faults/relay/connection.h"

namespace breakwire::relay {
namespace {

using faults::Protocol;

constexpr size_t sniffed_limit = 64 * 1024;  // before the protocol is known
constexpr int reads_in_a_row = 2;            // then other connections get their turn
constexpr size_t read_under_faults = 64 * 1024;
// What a session is given at once: half of `queued_control_frames` (of those that it is by default), if each
// frame makes one answer, however short they are.
constexpr size_t slice = 32 * 1024;

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

bool Connection::wants_input(Side side) const {
  const auto& from = at(side);
  const auto& to = at(other(side));
  if (!from.peer.is_open() || from.fin_received || from.lost) return false;
  if (state_ == State::closing) return from.fin_sent;  // and is discarded
  if (!from.unheard.empty()) return false;
  if (state_ != State::relaying || to.hung || to.lost || !has_room(other(side))) return false;
  if (!protocol_) return sniffer_.collected(side) < sniffed_limit;
  return !session_ || session_->wants_input(side);
}

void Connection::read_from(Side side) {
  // What was read reaches the queue only afterwards, and one that a fault paces is to stay short.
  const bool paced = at(other(side)).egress.paced();
  const auto into =
      std::span(edge_.plane.scratch)
          .first(edge_.faults.concern_connections() ? read_under_faults : edge_.plane.scratch.size());
  for (int reads = 0; reads < (paced ? 1 : reads_in_a_row) && wants_input(side); ++reads) {
    const auto read = at(side).peer.read(into);
    switch (read.what) {
      case Peer::Read::data:
        read_at_ = clock_now();
        received(side, text_of(read.bytes));
        if (read.bytes.size() < into.size() && !at(side).hung) return;  // no more, most likely
        break;
      case Peer::Read::nothing_yet:
        if (at(side).hung) reset_by(side);
        return;
      case Peer::Read::fin:
        return fin_from(side);
      case Peer::Read::reset:
        return reset_by(side);
    }
  }
}

void Connection::received(Side from, std::string_view bytes) {
  if (state_ != State::relaying) return;
  if (from == Side::downstream) hear_opening(bytes);
  if (!protocol_) {
    sniffer_.read(from, bytes);
    if (const auto protocol = sniffer_.protocol()) begin(*protocol);
  } else if (session_) {
    give_session(from, bytes);
  } else {
    send(other(from), bytes);
  }
}

/// Slice by slice, so that the answers to many small frames leave before they count as a flood; and all that
/// came of long ones by one write.
void Connection::give_session(Side from, std::string_view bytes) {
  while (!bytes.empty() && state_ == State::relaying) {
    session_->receive_lent(from, bytes_of(bytes.substr(0, slice)), *read_at_);
    bytes.remove_prefix(std::min(slice, bytes.size()));
    if (!bytes.empty() && !session_->answers_pile_up()) continue;
    take_session_output();
    session_->keep_output();
    if (!session_->wants_input(from)) break;
  }
  at(from).unheard = bytes;
}

/// Gives the session what it did not want before. Answers whether it took some.
bool Connection::hear_the_rest() {
  bool any = false;
  for (const auto from : both_sides) {
    if (at(from).unheard.empty() || state_ != State::relaying || !session_->wants_input(from)) continue;
    const auto rest = std::exchange(at(from).unheard, {});
    read_at_ = clock_now();
    give_session(from, rest);
    if (at(from).unheard.empty() && at(from).fin_received) session_->peer_gone(from, false, *read_at_);
    any = true;
  }
  return any;
}

/// Who has said nothing may be of a server-first protocol, and has all the time it wants; who has begun
/// HTTP/2's opening has the handshake's.
void Connection::hear_opening(std::string_view bytes) {
  if (opening_done_) return;
  opening_.read(bytes);
  opening_done_ = opening_.done() || (protocol_ && protocol_ != Protocol::http2);
  if (opening_done_) {
    handshake_due_.reset();
  } else if (!handshake_due_) {
    handshake_due_ = *read_at_ + edge_.options.handshake_timeout;
  }
}

void Connection::begin(Protocol protocol) {
  const auto now = clock_now();
  if (!read_at_) read_at_ = now;
  protocol_ = protocol;
  observe(
      faults::ProtocolDetected{.edge = edge_.options.id, .connection = id_, .at = now, .protocol = protocol});
  if (protocol == Protocol::http2) {
    session_ = std::make_unique<http2::Session>(
        http2::SessionOptions{.edge = edge_.options.id,
                              .connection = id_,
                              .correlation_key = edge_.options.correlation_key,
                              .limits = edge_.options.limits,
                              .workspace = &edge_.plane.workspace},
        static_cast<http2::SessionHost&>(*this));
  } else {
    handshake_due_.reset();
  }
  for (const auto& [fault, action] : std::exchange(unsaid_, {})) speak(fault, action);
  for (const auto side : both_sides) {
    const auto bytes = sniffer_.take(side);
    if (bytes.empty()) continue;
    if (session_) {
      give_session(side, bytes);
    } else {
      send(other(side), bytes);
    }
  }
  for (const auto side : both_sides) {
    if (session_ && at(side).fin_received && at(side).unheard.empty()) session_->peer_gone(side, false, now);
  }
}

/// A ruling that is performed in HTTP/2's own words, as soon as it is known that the connection speaks it.
void Connection::speak(const FaultId& fault, const faults::WireAction& action) {
  if (session_) return session_->act(fault, action, clock_now());
  if (!protocol_) unsaid_.emplace_back(fault, action);
}

void Connection::fin_from(Side side) {
  at(side).fin_received = true;
  at(other(side)).fin_wanted = true;
  if (!first_fin_) first_fin_ = side;
  if (session_) session_->peer_gone(side, false, clock_now());
  if (side == Side::downstream) sniffer_.downstream_ended();
  if (!protocol_ && state_ == State::relaying) {
    if (const auto protocol = sniffer_.protocol()) begin(*protocol);
  }
}

void Connection::reset_by(Side side) {
  const auto now = clock_now();
  auto& gone = at(side);
  auto& left = at(other(side));
  gone.lost = true;
  gone.egress.clear();
  gone.peer.close();
  if (state_ == State::closing) {
    if (closing_resets_) end(closed_by_, true, closing_fault_);
    return;
  }
  if (session_) session_->peer_gone(side, true, now);
  if (!left.peer.is_open() || left.lost) return end(peer_of(side), true);
  // A RST travels like bytes do: a fault may delay or hold it, a slow reader may not.
  const auto passage = ask(other(side), 0, left.put);
  if (passage.cut) return perform(*passage.cut, other(side));
  left.egress.push_end(Egress::Kind::reset, passage.terms, now);
}

}  // namespace breakwire::relay
