// How a relayed connection comes to be: accepted, ruled on, dialled.
#include <boost/asio.hpp>

#include "faults/relay/connection.h"

namespace breakwire::relay {
namespace {

using faults::Protocol;

/// The harness's shortage, not the upstream's refusal.
bool is_exhaustion(const boost::system::error_code& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system ||
         error == boost::system::errc::no_buffer_space || error == boost::system::errc::not_enough_memory;
}

}  // namespace

void Connection::accept(Stream accepted) {
  const auto now = clock_now();
  observe(faults::ConnectionAccepted{.edge = edge_.options.id, .connection = id_, .at = now});
  const auto ruling = edge_.faults.offered(id_);
  for (const auto& fault : ruling.delayed_by) tell_hit(fault, faults::Delay{ruling.delay});
  if (!std::holds_alternative<faults::Forward>(ruling.action)) tell_hit(ruling.by, ruling.action);
  for (const auto& [by, action] : ruling.later) {
    if (std::holds_alternative<faults::CloseConnection>(action)) {
      close_later(by, action);
    } else {
      speak(by, action);
    }
  }
  const auto* mute = std::get_if<faults::Mute>(&ruling.action);
  at(Side::downstream)
      .peer.open(std::move(accepted), mute != nullptr, [weak = weak_from_this()](HangupWatch::Hangup hangup) {
        if (const auto self = weak.lock()) self->hung_up(Side::downstream, hangup);
      });
  if (std::holds_alternative<faults::ResetConnection>(ruling.action)) {
    return end(faults::Peer::relay, true, ruling.by);
  }
  if (mute != nullptr) {
    state_ = State::muted;
    muted_by_ = ruling.by;
    muted_closes_ = mute->close_when_cleared;
    return;
  }
  if (std::holds_alternative<faults::CloseConnection>(ruling.action)) {
    begin_closing(faults::Peer::relay, ruling.by);
    return settle();
  }
  for (const auto& [by, action] : ruling.effects) {
    if (const auto* ways = std::get_if<faults::Isolate>(&action)) isolate(by, *ways);
  }
  if (edge_.options.protocol == EdgeProtocol::tcp) {
    begin(Protocol::tcp);
  } else {
    handshake_due_ = now + edge_.options.handshake_timeout;
  }
  if (std::holds_alternative<faults::Hold>(ruling.action)) {
    dial_held_by_ = ruling.by;
  } else if (ruling.delay > Duration::zero()) {
    dial_at_ = now + ruling.delay;
    dial_delayed_by_ = ruling.delayed_by;
  } else {
    dial_if_there_is_a_path();
  }
  settle();
}

void Connection::dial_if_there_is_a_path() {
  dial_waits_for_path_ = cut_off(Side::upstream);
  if (!dial_waits_for_path_) dial();
}

void Connection::dial() {
  dial_at_.reset();
  dialer_.emplace(edge_.plane.io, edge_.upstream,
                  [self = shared_from_this()](const boost::system::error_code& error, Stream stream) {
                    self->dialled(error, std::move(stream));
                  });
}

void Connection::dialled(const boost::system::error_code& error, Stream stream) {
  if (!error) {
    at(Side::upstream)
        .peer.open(std::move(stream), false, [weak = weak_from_this()](HangupWatch::Hangup hangup) {
          if (const auto self = weak.lock()) self->hung_up(Side::upstream, hangup);
        });
    apply_isolation();
    return settle();
  }
  const auto now = clock_now();
  if (is_exhaustion(error)) {
    observe(faults::LimitReached{.edge = edge_.options.id,
                                 .connection = id_,
                                 .at = now,
                                 .by = faults::Peer::relay,
                                 .limit = "descriptors"});
    return end(faults::Peer::relay, true);
  }
  observe(faults::UpstreamRefused{
      .edge = edge_.options.id, .connection = id_, .at = now, .error = error.message()});
  end(faults::Peer::upstream, true);
}

void Connection::hung_up(Side side, HangupWatch::Hangup hangup) {
  if (state_ == State::muted) return end(peer_of(side), hangup == HangupWatch::Hangup::reset);
  if (hangup != HangupWatch::Hangup::reset) return;
  at(side).hung = true;
  settle();
}

}  // namespace breakwire::relay
