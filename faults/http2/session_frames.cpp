// Control frames: they travel end to end, whatever faults do to calls (RELAY.md rules 2, 4, 5, 7, 10).
#include <algorithm>
#include <utility>

#include "faults/http2/session_core.h"

namespace breakwire::http2 {

bool Session::Core::Sink::on_preface() {
  core_.out(other(from_)).append(client_preface);
  return true;
}

bool Session::Core::Sink::on_data(const DataPiece& piece) {
  core_.on_data(from_, piece);
  return !core_.over_;
}

bool Session::Core::Sink::on_block(const BlockView& block) {
  core_.on_block(from_, block);
  return !core_.over_;
}

bool Session::Core::Sink::on_ignored(const FrameHeader&) {
  ++core_.ignored_frames_;
  return true;
}

void Session::Core::Sink::on_violation(Http2Error code, const std::string& what) {
  core_.violation(from_, code, what);
}

void Session::Core::Sink::on_limit(const char* option) { core_.limit_reached(from_, option); }

bool Session::Core::Sink::on_control(const FrameHeader& header, Bytes payload) {
  switch (header.type) {
    case FrameType::settings:
      core_.on_settings(from_, header, payload);
      break;
    case FrameType::ping:
      core_.on_ping(from_, header, payload);
      break;
    case FrameType::goaway:
      core_.on_goaway(from_, payload);
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

void Session::Core::on_settings(Side from, const FrameHeader& header, Bytes payload) {
  if (header.has(flag::ack)) return on_settings_ack(from);
  std::vector<Setting> settings = parse_settings(payload);
  for (Setting& setting : settings) {
    if (const auto wrong = forbidden(setting)) return violation(from, Http2Error::protocol_error, *wrong);
    if (setting.id == SettingId::header_table_size)
      setting.value = std::min(setting.value, default_table_size);
    if (setting.id == SettingId::max_concurrent_streams && from == Side::upstream) {
      if (!max_streams_ || *max_streams_ < setting.value) slot_freed_ = true;
      max_streams_ = setting.value;
    }
  }
  const Side to = other(from);
  const std::string forwarded = serialise(settings);
  append_frame(out(to), FrameType::settings, header.flags, 0,
               {reinterpret_cast<const uint8_t*>(forwarded.data()), forwarded.size()});
  peer(to).output.control_frame();
  if (!std::exchange(peer(to).begun, true)) downstream_begun_ |= to == Side::downstream;
  peer(to).settings.sent(SettingsQueue::Origin::peer, std::move(settings));
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

  // From here on `from` sends by these settings, and so do we towards the announcer.
  const Direction direction = direction_from(from);
  PeerSettings& accepts = peer(announcer).accepts;
  const int64_t old_window = accepts.initial_window_size;
  accepts.apply(acknowledged->settings);
  if (const int64_t delta = accepts.initial_window_size - old_window; delta != 0) {
    for (auto& [id, stream] : streams_) stream->lane(direction).flow.shifted(delta);
    if (delta > 0) way(direction).room_opened = true;
  }
  for (const Setting& setting : acknowledged->settings) {
    if (setting.id != SettingId::header_table_size) continue;
    way(direction).decoder.set_table_limit(setting.value);
    way(direction).blocks.set_table_limit(setting.value);
  }
}

void Session::Core::on_ping(Side from, const FrameHeader& header, Bytes payload) {
  const Side to = other(from);
  const auto ticket = log_.open(faults::PingSeen{.edge = options_.edge,
                                                 .connection = options_.connection,
                                                 .times = {.received = now_},
                                                 .direction = direction_from(from),
                                                 .ack = header.has(flag::ack),
                                                 .payload = read_u64(payload.data())});
  append_frame(out(to), FrameType::ping, header.flags, 0, payload);
  peer(to).output.control_frame();
  log_.leaves(ticket, to, peer(to).output.end(), 0, std::nullopt);
}

void Session::Core::on_goaway(Side from, Bytes payload) {
  const Side to = other(from);
  const StreamId last = read_u32(payload.data()) & max_stream_id;
  const auto code = static_cast<Http2Error>(read_u32(payload.data() + 4));
  const std::string debug{reinterpret_cast<const char*>(payload.data()) + 8, payload.size() - 8};
  const auto ticket = log_.open(faults::GoawaySeen{.edge = options_.edge,
                                                   .connection = options_.connection,
                                                   .times = {.received = now_},
                                                   .direction = direction_from(from),
                                                   .last_stream = last,
                                                   .code = code,
                                                   .debug = debug});
  StreamId translated = last;  // a client's GOAWAY is about streams that servers open
  const bool final = from == Side::upstream && last != max_stream_id;
  if (final) {
    goaway_up_ = std::min(last, goaway_up_.value_or(max_stream_id));
    translated = std::min(ids_.translate_last(*goaway_up_), goaway_down_.value_or(max_stream_id));
    goaway_down_ = translated;
  } else if (from == Side::upstream && goaway_down_) {
    translated = *goaway_down_;  // never rising
  }
  append_goaway(out(to), translated, code, debug);
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
    way(direction).connection.opened(increment);
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
  stream->lane(direction).flow.opened(increment);
  settle_stream(*stream, direction);
  pump(*stream, direction);
}

void Session::Core::on_reset(Side from, StreamId id, Http2Error code) {
  PeerState& sender_of_it = peer(from);
  if (now_ - sender_of_it.resets_since >= 1s) {
    sender_of_it.resets_since = now_;
    sender_of_it.resets = 0;
  }
  if (++sender_of_it.resets > options_.limits.resets_per_second)
    return limit_reached(from, "resets_per_second");

  Stream* stream = find(from, id);
  if (stream == nullptr) {
    if (is_idle(from, id)) violation(from, Http2Error::protocol_error, "RST_STREAM on an idle stream");
    return;
  }
  if (from == Side::downstream) {
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
