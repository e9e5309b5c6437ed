// What faults do to a call's frames: other fields, another answer, no trailers, half a message, slow DATA
// (RELAY.md rules 1 and 2).
#include <algorithm>
#include <utility>

#include "faults/edit_fields.h"
#include "faults/http2/grpc_fields.h"
#include "faults/http2/session_core.h"

namespace breakwire::http2 {
namespace {

/// What a gRPC response's initial HEADERS say at least.
faults::Metadata bare_response() { return {{":status", "200"}, {"content-type", "application/grpc"}}; }

}  // namespace

void Session::Core::apply_effects(Stream& stream, Direction direction, Item& item, const Gate& gate) {
  for (const faults::Effect& effect : gate.effects) {
    if (const auto* edit = std::get_if<faults::EditFields>(&effect.action)) {
      if (!edit_block(stream, direction, item, *edit, effect.by)) continue;
    } else if (const auto* pace = std::get_if<faults::Pace>(&effect.action);
               pace && (gate.stage == Stage::headers || gate.stage == Stage::response_headers)) {
      stream.lane(direction).paces.push_back({.by = effect.by, .pace = *pace});
    } else {
      continue;  // not for calls, or not for this stage
    }
    fault_hit(effect.by, stream.down, effect.action);
    host_.carried_out(effect.by, stream.down);
  }
}

// ---- Fields

bool Session::Core::edit_block(Stream& stream, Direction direction, Item& item,
                               const faults::EditFields& edit, const FaultId& by) {
  if (item.kind != Item::Kind::headers) return false;
  // What the caller sent stays in the CallFacts, for faults to be matched by and events to tell.
  faults::Metadata fields = direction == Direction::request && !stream.opened() && !item.edited
                                ? stream.facts.metadata
                                : item.fields.list();
  const StatusCode status = status_of(fields, stream.http_status);
  if (!faults::edit_fields(edit, fields)) return false;
  if (direction == Direction::response && item.end_stream &&
      status_of(fields, stream.http_status) != status) {
    stream.spoilt_by = by;
  }
  item.fields = fields;
  item.edited = true;
  return true;
}

// ---- Answers

Session::Core::Step Session::Core::end_with_page(Stream& stream, const faults::AnswerHttp& answer,
                                                 const FaultId& by) {
  // A response that has begun cannot become another one: what sits in the middle can only break it off.
  if (stream.response_started || stream.lane(Direction::response).sent_end) {
    return end_with_reset(stream, Http2Error::internal_error, by);
  }

  cancel_upstream(stream);
  stream.up_reset = true;  // so that the rest of the request is swallowed, whether or not it was ever opened
  by_up_.erase(stream.up);
  free_slot(stream);
  discard(stream, Direction::request);
  discard(stream, Direction::response);
  stream.withheld_by = {};
  stream.answered = true;
  ids_.answered(stream.down);
  const auto ticket = tell_ended(stream, {.how = faults::Ending::ended_by_fault,
                                          .status = status_of(answer.fields, answer.status),
                                          .fault = by});

  faults::Metadata fields{{":status", std::to_string(answer.status)}};
  fields.insert(fields.end(), answer.fields.begin(), answer.fields.end());
  Lane& lane = stream.lane(Direction::response);
  lane.counts_messages = false;
  lane.sent_end = answer.body.empty();
  way(Direction::response)
      .blocks.inject(out(Side::downstream), fields, stream.down, lane.sent_end,
                     peer(Side::downstream).accepts.max_frame_size);
  stream.response_started = true;
  if (lane.sent_end) {
    ended_leaves(stream, ticket, Side::downstream);
    finish(stream);
    return Step::gone;
  }
  // The page waits for the receiver's room like any other DATA.
  Item body{
      .kind = Item::Kind::data, .received = now_, .end_stream = true, .end_passed = true, .injected = true};
  body.kept = answer.body;
  body.last = true;
  lane.waiting.push_back(std::move(body));
  charge(lane.waiting.back(), Direction::response);
  pump(stream, Direction::response);
  return Step::gone;
}

Session::Core::Step Session::Core::end_without_trailers(Stream& stream, const FaultId& by) {
  cancel_upstream(stream);
  const int http_status = stream.response_started ? stream.http_status : 200;
  const auto ticket = tell_ended(
      stream, {.how = faults::Ending::ended_by_fault, .status = status_of_http(http_status), .fault = by});
  if (!stream.response_started) {
    way(Direction::response)
        .blocks.inject(out(Side::downstream), bare_response(), stream.down, false,
                       peer(Side::downstream).accepts.max_frame_size);
  }
  append_data(out(Side::downstream), stream.down, {}, true);
  return close_answered(stream, ticket);
}

// ---- Cut messages

Session::Core::Step Session::Core::pass_cut(Stream& stream, Direction direction, Item& item) {
  Lane& lane = stream.lane(direction);
  Cut& cut = *lane.cut;
  skip_messages(stream, direction, item);
  if (!cut.done) {
    const uint64_t most = cut.size ? *cut.size - 1 : MessageCounter::prefix_size - 1;
    const uint64_t limit = std::min(cut.bytes, most);
    const size_t before = item.sent;
    const size_t n = std::min<uint64_t>(limit - std::min(limit, cut.sent), item.bytes().size() - before);
    const bool written = write_data(stream, direction, item, before + n, false);
    cut.sent += item.sent - before;
    if (!written) return Step::waits;
    // Before its prefix is whole, nobody knows how long the message would be.
    cut.done = cut.sent >= limit && (cut.size || limit == cut.bytes);
    if (!cut.done && !item.end_stream) return Step::done;
    cut.done = true;
    if (direction == Direction::request) end_cut_request(stream);
  }
  const int64_t swallowed = lane.flow.buffered();
  lane.flow.discarded(swallowed);
  way(direction).connection.discarded(swallowed);
  update_held(stream, direction);  // what was held was credited in advance
  settle_connection(direction);
  settle_stream(stream, direction);
  if (!item.end_stream || direction == Direction::request) return Step::done;

  if (!item.end_passed) {
    if (const Step step = reach(stream, direction, Stage::response_end, item); step != Step::done)
      return step;
    item.end_passed = true;
    tell_upstream_ended(stream, item);
  }
  append_data(out(Side::downstream), stream.down, {}, true);
  lane.sent_end = true;
  ended_leaves(stream, stream.ended, Side::downstream);
  return Step::done;
}

void Session::Core::skip_messages(Stream& stream, Direction direction, Item& item) {
  Lane& lane = stream.lane(direction);
  Cut& cut = *lane.cut;
  const auto whole = [&](const MessageCounter::Message& counted) {
    if (!cut.size) cut.size = MessageCounter::prefix_size + counted.size;
    message_seen(stream, direction, item, {.counted = counted}, false);
  };
  if (item.ruling_on) {
    item.scanned = item.ruling_on->end;
    if (item.ruling_on->whole) {
      whole(item.ruling_on->counted);
      cut.sent = *cut.size - (item.ruling_on->end - item.ruling_on->begin);  // before the fault was there
    }
    item.ruling_on.reset();
  }
  Bytes rest = item.bytes().subspan(item.scanned);
  while (const auto counted = lane.messages.next(rest)) whole(*counted);
  item.scanned = item.bytes().size();
  if (!cut.size && lane.messages.size()) cut.size = MessageCounter::prefix_size + *lane.messages.size();
}

void Session::Core::end_cut_request(Stream& stream) {
  Lane& lane = stream.lane(Direction::request);
  lane.cut->done = true;
  if (std::exchange(lane.sent_end, true)) return;
  append_data(out(Side::upstream), stream.up, {}, true);
}

// ---- Pace

size_t Session::Core::paced(Stream& stream, Direction direction) {
  Lane& lane = stream.lane(direction);
  const size_t most = lane.pacer.allowance(lane.paces, now_);
  if (most > 0) return most;
  const Instant next = lane.pacer.next(lane.paces);
  if (lane.paced_until != next) {
    if (lane.paced_until) forget_due(*lane.paced_until, stream.down, direction);
    due_.emplace(next, std::pair{stream.down, direction});
    lane.paced_until = next;
  }
  return 0;
}

bool Session::Core::unpace(Stream& stream, Direction direction, const FaultId& fault) {
  Lane& lane = stream.lane(direction);
  if (std::erase_if(lane.paces, [&](const auto& pacing) { return pacing.by == fault; }) == 0) return false;
  lane.pacer.forget(fault);
  if (lane.paced_until) forget_due(*lane.paced_until, stream.down, direction);
  lane.paced_until.reset();
  return true;
}

}  // namespace breakwire::http2
