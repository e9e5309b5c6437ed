// What a call's frames go through on their way: waiting behind each other, at gates, for room, for a slot
// (RELAY.md rules 2, 3, 6, 8).
#include <algorithm>
#include <utility>

#include "faults/http2/grpc_fields.h"
#include "faults/http2/session_core.h"

namespace breakwire::http2 {
namespace {

constexpr std::string_view call_id_field = "x-breakwire-call";  // stamped by the load

/// What of a request's fields is told, as it is found.
struct Told {
  std::string_view path, authority, timeout, attempts, traceparent, call_id, correlation, content_type;
};

/// The first value of each. Credentials are never kept, not even when somebody names them as a key.
Told told_of(const FieldSection& fields, std::string_view correlation_key) {
  if (correlation_key == "authorization") correlation_key = {};
  Told told;
  const auto tell = [](std::string_view name, std::string_view key, std::string_view value,
                       std::string_view& into) {
    if (name == key && into.data() == nullptr) into = value;
  };
  for (size_t at = 0; at < fields.size(); ++at) {
    const auto name = fields.name(at);
    const auto value = fields.value(at);
    switch (name.size()) {  // which rules out nearly everything
      case 5:
        tell(name, ":path", value, told.path);
        break;
      case 10:
        tell(name, ":authority", value, told.authority);
        break;
      case 11:
        tell(name, "traceparent", value, told.traceparent);
        break;
      case 12:
        tell(name, "content-type", value, told.content_type);
        tell(name, "grpc-timeout", value, told.timeout);
        break;
      case call_id_field.size():
        tell(name, call_id_field, value, told.call_id);
        break;
      case 26:
        tell(name, "grpc-previous-rpc-attempts", value, told.attempts);
        break;
      default:
        break;
    }
    if (!correlation_key.empty()) tell(name, correlation_key, value, told.correlation);
  }
  return told;
}

}  // namespace

void Session::Core::on_block(Side from, const BlockView& block) {
  const Direction direction = direction_from(from);
  FieldSection fields = workspace_.take_fields();
  switch (way(direction).decoder.decode(*block.fragments, options_.limits.field_list_bytes, fields)) {
    case FieldDecoder::Outcome::ok:
      break;
    case FieldDecoder::Outcome::compression_error:
      return violation(from, Http2Error::compression_error, "a field block that cannot be decoded");
    case FieldDecoder::Outcome::too_large:
      return limit_reached(from, "field_list_bytes");
  }
  const uint64_t number = way(direction).blocks.arrived();
  Stream* stream = find(from, block.stream);
  if (stream == nullptr) {
    const bool idle = is_idle(from, block.stream);
    if (idle && from == Side::downstream && block.stream % 2 == 1) {
      return on_new_call(block, number, std::move(fields));
    }
    if (idle) violation(from, Http2Error::protocol_error, "HEADERS on a stream that its sender cannot open");
    return workspace_.give_back(std::move(fields));  // on a closed stream: decoded, not forwarded
  }
  Lane& lane = stream->lane(direction);
  if (lane.received_end) return;
  lane.received_end = block.end_stream;
  if (direction == Direction::request && stream->up_closed()) return;

  Item item{.kind = Item::Kind::headers, .received = now_, .end_stream = block.end_stream};
  item.block = FieldBlock(number, block, way(direction).decoder.table_size());
  if (direction == Direction::response) {
    const int status = http_status_of(fields);
    if (status >= 200) {
      stream->http_status = status;
      lane.counts_messages = is_grpc(fields);
      if (!block.end_stream) {
        item.ticket = log_.open(faults::ResponseStarted{.edge = options_.edge,
                                                        .connection = options_.connection,
                                                        .stream = stream->down,
                                                        .times = {.received = now_},
                                                        .http_status = status});
      }
    }
  }
  item.fields = std::move(fields);
  enqueue(*stream, direction, std::move(item));
}

void Session::Core::on_new_call(const BlockView& block, uint64_t number, FieldSection fields) {
  last_down_ = block.stream;
  if (streams_.size() >= options_.limits.open_streams) return limit_reached(Side::downstream, "open_streams");

  const auto window = [](const PeerState& announcer) {
    return FlowLedger(announcer.seen.initial_window_size, announcer.accepts.initial_window_size);
  };
  auto created =
      std::make_unique<Stream>(block.stream, window(peer(Side::upstream)), window(peer(Side::downstream)));
  Stream& stream = *created;
  faults::CallFacts& facts = stream.facts;
  facts.connection = options_.connection;
  facts.stream = block.stream;
  const Told told = told_of(fields, options_.correlation_key);
  facts.method = told.path.substr(told.path.starts_with('/') ? 1 : 0);
  facts.timeout = parse_grpc_timeout(told.timeout);
  facts.previous_attempts = parse_attempts(told.attempts);
  std::optional<TraceParent> trace = parse_traceparent(told.traceparent);
  if (trace) facts.trace_id = trace->trace_id;

  ++live_calls_;
  stream.started = log_.open(faults::CallStarted{.edge = options_.edge,
                                                 .connection = options_.connection,
                                                 .stream = block.stream,
                                                 .times = {.received = now_},
                                                 .method = facts.method,
                                                 .authority = std::string(told.authority),
                                                 .timeout = facts.timeout,
                                                 .trace_id = facts.trace_id,
                                                 .parent_id = trace ? trace->parent_id : std::string{},
                                                 .previous_attempts = facts.previous_attempts,
                                                 .call_id = std::string(told.call_id),
                                                 .correlation = std::string(told.correlation)});
  if (goaway_down_ && block.stream > *goaway_down_) {
    // Sent before its client had read the GOAWAY, which has already said that this is not processed.
    tell_ended(stream, {.how = faults::Ending::refused_by_goaway, .fault = goaway_by_});
    return;
  }
  stream.fields_cost = fields.list_size();
  open_calls_bytes_ += stream.fields_cost;
  streams_.emplace(block.stream, std::move(created));
  if (open_calls_bytes_ > options_.limits.open_calls_bytes)
    return limit_reached(Side::downstream, "open_calls_bytes");
  Lane& lane = stream.lane(Direction::request);
  lane.received_end = block.end_stream;
  lane.counts_messages = is_grpc_type(told.content_type);
  stream.request = std::move(fields);
  Item item{.kind = Item::Kind::headers, .received = now_, .end_stream = block.end_stream};
  item.block = FieldBlock(number, block, way(Direction::request).decoder.table_size());
  enqueue(stream, Direction::request, std::move(item));
}

void Session::Core::enqueue(Stream& stream, Direction direction, Item&& item) {
  Lane& lane = stream.lane(direction);
  if (lane.waiting.empty()) {
    lane.paced_until.reset();
    switch (pass(stream, direction, item)) {
      case Step::gone:
        return;
      case Step::done:
        workspace_.give_back(std::move(item.fields));
        finish(stream);
        return;
      case Step::waits:
        break;
    }
  } else if (item.kind == Item::Kind::data && item.input.empty() && !item.end_stream && !item.padded) {
    return;  // an empty frame says nothing
  }
  const bool ends = direction == Direction::response && (item.end_stream || item.kind == Item::Kind::reset);
  if (ends) tell_upstream_ended(stream, item);
  lane.waiting.push_back(std::move(item));
  lane.waiting.back().keep();
  charge(lane.waiting.back(), direction);
  update_held(stream, direction);
  settle_connection(direction);
  finish(stream);  // END_STREAM may have been read of a request whose response is over: it need not leave
}

void Session::Core::charge(Item& item, Direction direction) {
  item.charged = item.cost();
  way(direction).kept += item.charged;
}

void Session::Core::pump(Stream& stream, Direction direction) {
  Lane& lane = stream.lane(direction);
  while (!lane.waiting.empty()) {
    const size_t charged = lane.waiting.front().charged;
    const Step step = pass(stream, direction, lane.waiting.front());
    if (step == Step::gone) return;
    way(direction).kept -= charged;
    if (step == Step::waits) {
      charge(lane.waiting.front(), direction);
      break;
    }
    lane.waiting.pop_front();
    if (finish(stream)) return;
  }
  update_held(stream, direction);
  settle_connection(direction);
}

bool Session::Core::finish(Stream& stream) {
  // Of a response that is over before its request nobody needs the rest (RFC 9113 §8.1). The upstream, which
  // would say so itself, was answered for, or took what was cut off for the whole request.
  const Lane& request = stream.lane(Direction::request);
  const bool unwanted = stream.answered || (request.cut && request.sent_end);
  if (unwanted && !request.received_end && stream.lane(Direction::response).sent_end && !stream.down_reset) {
    send_reset(Side::downstream, stream.down, Http2Error::no_error);
    stream.down_reset = true;
  }
  // The client is free to open another stream now; the upstream must not still count this one (rule 8).
  if (stream.down_closed()) cancel_upstream(stream);
  if (stream.up_closed()) free_slot(stream);
  if (!stream.down_closed()) return false;
  remove(stream);
  return true;
}

Session::Core::Step Session::Core::pass(Stream& stream, Direction direction, Item& item) {
  switch (item.kind) {
    case Item::Kind::headers:
      return direction == Direction::request ? pass_request_headers(stream, item)
                                             : pass_response_headers(stream, item);
    case Item::Kind::data:
      return pass_data(stream, direction, item);
    case Item::Kind::reset:
      break;
  }
  return pass_reset(stream, item);
}

Session::Core::Step Session::Core::pass_request_headers(Stream& stream, Item& item) {
  const bool first = !stream.opened();
  if (!first && stream.lane(Direction::request).cut) {  // trailers after what was cut off
    end_cut_request(stream);
    return Step::done;
  }
  if (first && !item.headers_passed) {
    const Step step = reach(stream, Direction::request, Stage::headers, item);
    if (step == Step::waits) stream.was_held = true;
    if (step != Step::done) return step;
    item.headers_passed = true;
  }
  if (first && stream.was_held && !slot_free()) {
    waiting_for_slot_.insert(stream.down);
    return Step::waits;
  }
  Step end = Step::done;
  if (item.end_stream && !item.end_passed) {
    end = reach(stream, Direction::request, Stage::request_end, item);
    if (end == Step::gone || (end == Step::waits && !first)) return end;
    item.end_passed = end == Step::done;
  }
  if (first && !open_upstream(stream)) return Step::gone;
  const bool ends = item.end_stream && end == Step::done;
  BlockPath& blocks = way(Direction::request).blocks;
  const uint32_t largest = peer(Side::upstream).accepts.max_frame_size;
  if (item.edited) {
    blocks.write_edited(out(Side::upstream), item.fields.list(), stream.up, ends, largest);
  } else {
    blocks.write(out(Side::upstream), item.block, first ? stream.request : item.fields, stream.up, ends,
                 largest);
  }
  if (first) {
    log_.leaves(stream.started, Side::upstream, peer(Side::upstream).output.end(), stream.down,
                faults::FrameKind::call_started);
    settle_stream(stream, Direction::response);  // increments that came while it was held
  }
  stream.lane(Direction::request).sent_end = ends;
  if (end == Step::done) return Step::done;
  item = {.kind = Item::Kind::data, .received = item.received, .end_stream = true, .last = true};
  return Step::waits;  // only END_STREAM still does
}

bool Session::Core::open_upstream(Stream& stream) {
  const auto up = ids_.open(stream.down);
  if (!up) {  // the ids are used up: nothing of this call was forwarded
    const auto ticket =
        tell_ended(stream, {.how = faults::Ending::refused_while_held, .reset = Http2Error::refused_stream});
    send_reset(Side::downstream, stream.down, Http2Error::refused_stream);
    ended_leaves(stream, ticket, Side::downstream);
    remove(stream);
    return false;
  }
  stream.up = *up;
  by_up_.emplace(*up, &stream);
  stream.takes_slot = true;
  ++upstream_open_;
  return true;
}

Session::Core::Step Session::Core::pass_response_headers(Stream& stream, Item& item) {
  if (!stream.withheld_by.empty()) {
    stream.discarded = true;
    return item.end_stream ? pass_withheld(stream, item) : Step::done;
  }
  const bool final_headers = http_status_of(item.fields) >= 200;
  if (final_headers && !item.headers_passed) {
    const Step step = reach(stream, Direction::response, Stage::response_headers, item);
    if (step != Step::done) return step;
    item.headers_passed = true;
  }
  if (item.end_stream && !item.end_passed) {
    const Step step = reach(stream, Direction::response, Stage::response_end, item);
    if (step != Step::done) return step;
    item.end_passed = true;
    tell_upstream_ended(stream, item);
  }
  BlockPath& blocks = way(Direction::response).blocks;
  const uint32_t largest = peer(Side::downstream).accepts.max_frame_size;
  if (item.edited) {
    blocks.write_edited(out(Side::downstream), item.fields.list(), stream.down, item.end_stream, largest);
  } else {
    blocks.write(out(Side::downstream), item.block, item.fields, stream.down, item.end_stream, largest);
  }
  if (final_headers) stream.response_started = true;
  log_.leaves(item.ticket, Side::downstream, peer(Side::downstream).output.end(), stream.down,
              faults::FrameKind::response_started);
  if (item.end_stream) {
    stream.lane(Direction::response).sent_end = true;
    ended_leaves(stream, stream.ended, Side::downstream);
  }
  return Step::done;
}

Session::Core::Step Session::Core::pass_reset(Stream& stream, Item& item) {
  if (!stream.withheld_by.empty()) {
    const Step step = reach(stream, Direction::response, Stage::response_end, item);
    if (step != Step::done) return step;
  }
  tell_upstream_ended(stream, item);
  send_reset(Side::downstream, stream.down, item.code);
  ended_leaves(stream, stream.ended, Side::downstream);
  stream.down_reset = true;
  return Step::done;
}

Session::Core::Step Session::Core::pass_withheld(Stream& stream, Item& item) {
  const Step step = reach(stream, Direction::response, Stage::response_end, item);
  if (step != Step::done) return step;
  // Cleared in the meantime: what was discarded cannot be given any more.
  const FaultId by = stream.withheld_by;
  return end_with_status(
      stream, {.code = StatusCode::unavailable, .message = "the response was withheld by fault " + by.text},
      by);
}

}  // namespace breakwire::http2
