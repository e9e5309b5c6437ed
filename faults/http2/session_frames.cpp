// Control frames: they travel end to end, whatever faults do to calls (RELAY.md rules 2, 4, 5, 7, 10). What
// faults do to the frames themselves is in session_control.cpp.
#include <algorithm>
#include <utility>

#include "faults/http2/session_core.h"

namespace breakwire::http2 {

bool Session::Core::Sink::on_preface() {
  core_.out(other(from_)).append(client_preface);
  return true;
}

bool Session::Core::Sink::on_data(const DataPiece& piece) {
  const bool idle = piece.data.empty() && piece.last && !piece.end_stream;
  if (idle && !core_.may_idle(from_)) return false;
  core_.on_data(from_, piece);
  return !core_.over_;
}

bool Session::Core::Sink::on_block(const BlockView& block) {
  core_.on_block(from_, block);
  return !core_.over_;
}

bool Session::Core::Sink::on_ignored(const FrameHeader& header) {
  ++core_.ignored_frames_;
  // Nobody else gets to judge it (RFC 9113 §4.2), and garbage mostly looks like one of sixteen MiB.
  if (header.length > core_.peer(other(from_)).seen.max_frame_size) {
    core_.violation(from_, Http2Error::frame_size_error, "a frame larger than its receiver accepts");
    return false;
  }
  return core_.may_idle(from_);
}

void Session::Core::Sink::on_violation(Http2Error code, const std::string& what) {
  core_.violation(from_, code, what);
}

void Session::Core::Sink::on_limit(const char* option) { core_.limit_reached(from_, option); }

bool Session::Core::Sink::on_control(const FrameHeader& header, Bytes payload) {
  const bool idle = header.type == FrameType::settings || header.type == FrameType::ping;
  if (idle && !core_.may_idle(from_)) return false;
  switch (header.type) {
    case FrameType::settings:
      core_.on_settings(from_, header, payload);
      break;
    case FrameType::ping:
      core_.on_ping(from_, header, payload);
      break;
    case FrameType::goaway:
      core_.on_goaway(from_, header, payload);
      break;
    case FrameType::window_update:
      core_.on_window_update(from_, header.stream, read_u32(payload.data()) & max_stream_id);
      break;
    case FrameType::rst_stream:
      core_.on_reset(from_, header.stream, static_cast<Http2Error>(read_u32(payload.data())));
      break;
    default:
      core_.violation(from_, Http2Error::protocol_error, "PUSH_PROMISE");
      break;
  }
  return !core_.over_;
}

bool Session::Core::may_idle(Side from) {
  if (peer(from).idle_frames.count(now_) <= options_.limits.idle_frames_per_second) return true;
  limit_reached(from, "idle_frames_per_second");
  return false;
}

void Session::Core::on_settings(Side from, const FrameHeader& header, Bytes payload) {
  if (header.has(flag::ack)) return on_settings_ack(from);
  if (payload.size() / 6 > options_.limits.settings_parameters)
    return limit_reached(from, "settings_parameters");
  const std::vector<Setting> settings = parse_settings(payload);
  for (const Setting& setting : settings) {
    if (const auto wrong = forbidden(setting)) return violation(from, Http2Error::protocol_error, *wrong);
  }
  // A lower limit is obeyed at once, a higher one from its acknowledgement on: until then the upstream may
  // hold on to what it had said before (RFC 9113 §6.5.3).
  if (const auto limit = last_of(settings, SettingId::max_concurrent_streams);
      limit && from == Side::upstream) {
    max_streams_ = std::min(*limit, max_streams_.value_or(*limit));
  }
  if (may_pass(from, faults::ControlFrame::settings, header, payload, 0)) {
    pass_settings(from, header.flags, payload);
  }
}

void Session::Core::pass_settings(Side from, uint8_t flags, Bytes payload) {
  std::vector<Setting> genuine = parse_settings(payload);
  for (Setting& setting : genuine) {
    if (setting.id == SettingId::header_table_size)
      setting.value = std::min(setting.value, default_table_size);
  }
  std::vector<Setting> settings = peer(from).announcement.rewritten(genuine);
  const Side to = other(from);
  const std::string forwarded = serialise(settings);
  append_frame(out(to), FrameType::settings, flags, 0,
               {reinterpret_cast<const uint8_t*>(forwarded.data()), forwarded.size()});
  peer(to).output.control_frame();
  if (!std::exchange(peer(to).begun, true)) downstream_begun_ |= to == Side::downstream;
  peer(to).settings.sent(SettingsQueue::Origin::peer, std::move(settings), std::move(genuine));
  if (peer(to).settings.pending() > options_.limits.queued_control_frames) {
    limit_reached(from, "queued_control_frames");
  }
}

void Session::Core::on_settings_ack(Side from) {
  const Side announcer = other(from);
  const auto acknowledged = peer(from).settings.acknowledged();
  if (!acknowledged || acknowledged->origin == SettingsQueue::Origin::peer) {
    append_frame(out(announcer), FrameType::settings, flag::ack, 0, {});
    peer(announcer).output.control_frame();
  }
  if (!acknowledged) return;  // an ACK too many is the announcer's to judge
  const auto limit = last_of(acknowledged->genuine, SettingId::max_concurrent_streams);
  if (limit && from == Side::downstream) {
    max_streams_ = peer(from).settings.smallest_pending(SettingId::max_concurrent_streams, *limit);
    slot_freed_ = true;
  }

  // From here on `from` sends by these settings, and so do we towards the announcer.
  const Direction direction = direction_from(from);
  PeerState& announced = peer(announcer);
  const int64_t old_told = announced.seen.initial_window_size;
  const int64_t old_window = announced.accepts.initial_window_size;
  announced.seen.apply(acknowledged->settings);
  announced.accepts.apply(acknowledged->genuine);
  const int64_t told = announced.seen.initial_window_size - old_told;
  const int64_t window = announced.accepts.initial_window_size - old_window;
  if (told != 0 || window != 0) {
    for (auto& [id, stream] : streams_) {
      Lane& lane = stream->lane(direction);
      lane.flow.shifted(told, window);
      if (lane.flow.narrowed() && !lane.received_end) settle_stream(*stream, direction);
    }
    if (window > 0) way(direction).room_opened = true;
  }
  for (const Setting& setting : acknowledged->settings) {
    if (setting.id != SettingId::header_table_size) continue;
    way(direction).decoder.set_table_limit(setting.value);
    way(direction).blocks.set_table_limit(setting.value);
  }
}

void Session::Core::on_ping(Side from, const FrameHeader& header, Bytes payload) {
  if (is_our_pings_ack(from, header, payload)) return;
  const bool ack = header.has(flag::ack);
  const auto ticket = log_.open(faults::PingSeen{.edge = options_.edge,
                                                 .connection = options_.connection,
                                                 .times = {.received = now_},
                                                 .direction = direction_from(from),
                                                 .ack = ack,
                                                 .payload = read_u64(payload.data())});
  const auto kind = ack ? faults::ControlFrame::ping_ack : faults::ControlFrame::ping;
  if (may_pass(from, kind, header, payload, ticket)) pass_ping(from, header.flags, payload, ticket);
}

void Session::Core::pass_ping(Side from, uint8_t flags, Bytes payload, ObservationLog::Ticket ticket) {
  const Side to = other(from);
  append_frame(out(to), FrameType::ping, flags, 0, payload);
  peer(to).output.control_frame();
  log_.leaves(ticket, to, peer(to).output.end(), 0, std::nullopt);
}

void Session::Core::on_goaway(Side from, const FrameHeader& header, Bytes payload) {
  const auto ticket = log_.open(faults::GoawaySeen{
      .edge = options_.edge,
      .connection = options_.connection,
      .times = {.received = now_},
      .direction = direction_from(from),
      .last_stream = read_u32(payload.data()) & max_stream_id,
      .code = static_cast<Http2Error>(read_u32(payload.data() + 4)),
      .debug = std::string(reinterpret_cast<const char*>(payload.data()) + 8, payload.size() - 8)});
  if (may_pass(from, faults::ControlFrame::goaway, header, payload, ticket)) {
    pass_goaway(from, payload, ticket);
  }
}

void Session::Core::pass_goaway(Side from, Bytes payload, ObservationLog::Ticket ticket) {
  const Side to = other(from);
  const StreamId last = read_u32(payload.data()) & max_stream_id;
  const auto code = static_cast<Http2Error>(read_u32(payload.data() + 4));
  const Bytes debug =
      payload.subspan(8, std::min<size_t>(payload.size(), peer(to).accepts.max_frame_size) - 8);
  StreamId translated = last;  // a client's GOAWAY is about streams that servers open
  const bool final = from == Side::upstream && last != max_stream_id;
  if (final) {
    goaway_up_ = std::min(last, goaway_up_.value_or(max_stream_id));
    translated = ids_.translate_last(*goaway_up_);
    if (goaway_down_ && *goaway_down_ <= translated) {
      translated = *goaway_down_;
    } else {
      goaway_by_ = {};
    }
    goaway_down_ = translated;
  } else if (from == Side::upstream && goaway_down_) {
    translated = *goaway_down_;  // never rising
  }
  append_goaway(out(to), translated, code, {reinterpret_cast<const char*>(debug.data()), debug.size()});
  peer(to).output.control_frame();
  log_.leaves(ticket, to, peer(to).output.end(), 0, faults::FrameKind::goaway);
  if (final) refuse_above(*goaway_up_, translated);
}

void Session::Core::refuse_above(StreamId last_up, StreamId last_down) {
  std::vector<StreamId> refused;
  for (const auto& [id, stream] : streams_) {
    if (!stream->answered && (!stream->opened() || stream->up > last_up)) refused.push_back(id);
  }
  for (StreamId id : refused) {
    Stream& stream = *streams_.at(id);
    const auto how = stream.opened() ? faults::Ending::refused_by_goaway : faults::Ending::refused_while_held;
    const FaultId by =
        stream.lane(Direction::request).gate ? stream.lane(Direction::request).gate->by : FaultId{};
    const auto ticket = tell_ended(stream, {.how = how, .fault = by});
    if (id <= last_down) send_reset(Side::downstream, id, Http2Error::refused_stream);
    ended_leaves(stream, ticket, Side::downstream);
    remove(stream);
  }
}

void Session::Core::on_window_update(Side from, StreamId id, uint32_t increment) {
  const Direction direction = direction_from(other(from));
  if (id == 0) {
    if (increment == 0) return send_window_update(other(from), 0, 0);  // its receiver's to judge
    FlowLedger& ledger = way(direction).connection;
    const int64_t before = ledger.credit_due(advance_for_held(direction));
    ledger.opened(increment);
    rule_on_increment(from, 0, nullptr, ledger, ledger.credit_due(advance_for_held(direction)) - before);
    settle_connection(direction);
    way(direction).room_opened = true;
    return;
  }
  Stream* stream = find(from, id);
  if (stream == nullptr) {
    if (is_idle(from, id)) violation(from, Http2Error::protocol_error, "WINDOW_UPDATE on an idle stream");
    return;
  }
  if (increment == 0) {
    if (direction == Direction::request) send_window_update(Side::downstream, stream->down, 0);
    if (direction == Direction::response && stream->opened())
      send_window_update(Side::upstream, stream->up, 0);
    return;
  }
  FlowLedger& ledger = stream->lane(direction).flow;
  const int64_t before = ledger.credit_due();
  ledger.opened(increment);
  rule_on_increment(from, id, stream, ledger, ledger.credit_due() - before);
  if (over_) return;
  settle_stream(*stream, direction);
  pump(*stream, direction);
}

/// RFC 9113 §5.1 makes it a connection error. But gRPC's C-core does it when a call is cancelled before its
/// HEADERS are written (grpc/grpc#19655), C-core servers let it pass and others do not: it is the upstream's
/// to judge.
void Session::Core::on_reset_of_idle(Side from, StreamId id, Http2Error code) {
  if (from == Side::upstream || id % 2 == 0)
    return violation(from, Http2Error::protocol_error, "RST_STREAM on an idle stream");
  last_down_ = id;
  if (const auto up = ids_.reset_unopened(id)) send_reset(Side::upstream, *up, code);
}

void Session::Core::on_reset(Side from, StreamId id, Http2Error code) {
  if (peer(from).resets.count(now_) > options_.limits.resets_per_second)
    return limit_reached(from, "resets_per_second");

  const auto given_up = [&] {
    log_.add(faults::CallGivenUp{
        .edge = options_.edge, .connection = options_.connection, .stream = id, .at = now_, .code = code});
  };
  Stream* stream = find(from, id);
  if (stream == nullptr) {
    if (is_idle(from, id)) return on_reset_of_idle(from, id, code);
    // Its end was told, and may still lie in a queue behind this session.
    if (from == Side::downstream) given_up();
    return;
  }
  if (from == Side::downstream) {
    if (stream->ended != 0) given_up();
    const auto ticket = tell_ended(*stream, {.how = faults::Ending::reset_by_downstream, .reset = code});
    if (stream->opened() && !stream->up_closed()) {
      send_reset(Side::upstream, stream->up, code);
      ended_leaves(*stream, ticket, Side::upstream);
    }
    return remove(*stream);
  }
  if (stream->up_closed()) return;
  stream->up_reset = true;
  free_slot(*stream);
  discard(*stream, Direction::request);
  enqueue(*stream, Direction::response, {.kind = Item::Kind::reset, .received = now_, .code = code});
}

}  // namespace breakwire::http2
