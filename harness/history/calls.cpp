// One pass over the events: streams become attempts, the load's events become its calls.
#include "harness/history/calls.h"

#include <map>

#include "base/http_status.h"

namespace breakwire::history {
namespace {

using faults::Ending;
using Stream = std::pair<ConnectionId, StreamId>;

/// PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping"; what C-core, Go and Java disagree about follows the
/// document.
StatusCode outcome_of_reset(Http2Error code, bool at_deadline) {
  switch (code) {
    case Http2Error::refused_stream:
      return StatusCode::unavailable;
    case Http2Error::cancel:
      return at_deadline ? StatusCode::deadline_exceeded : StatusCode::cancelled;
    case Http2Error::enhance_your_calm:
      return StatusCode::resource_exhausted;
    case Http2Error::inadequate_security:
      return StatusCode::permission_denied;
    default:
      return StatusCode::internal;
  }
}

/// C-core rounds grpc-timeout up by as much as 1 %, and the caller's clock starts before its HEADERS are read
/// here: a reset this close to the deadline is the deadline's.
bool at_deadline(const Attempt& attempt, Instant t) {
  if (!attempt.timeout) return false;
  const Duration early = *attempt.timeout / 50 + std::min<Duration>(20ms, *attempt.timeout / 4);
  return t >= attempt.received + *attempt.timeout - early;
}

}  // namespace

std::optional<StatusCode> Attempt::outcome() const {
  if (!end) return std::nullopt;
  switch (end->how) {
    case Ending::trailers:
      return end->status ? *end->status : status_of_http(http_status);
    case Ending::reset_by_downstream:
    case Ending::reset_by_upstream:
      return outcome_of_reset(end->reset.value_or(Http2Error::cancel), at_deadline(*this, end->received));
    case Ending::ended_by_fault:
      if (end->status) return end->status;
      return end->reset ? outcome_of_reset(*end->reset, at_deadline(*this, end->received))
                        : StatusCode::unavailable;
    case Ending::connection_lost:
    case Ending::refused_while_held:
    case Ending::refused_by_goaway:
      return StatusCode::unavailable;
  }
  return std::nullopt;
}

namespace {

/// It was the caller that ended it, or its side of the connection: it knew at once.
bool ended_at_the_caller(const Attempt::End& end) {
  return end.how == Ending::reset_by_downstream || end.how == Ending::connection_lost;
}

/// What the caller resets after its end has reached it, it did not give up.
void forget_late_reset(Attempt& attempt) {
  if (!attempt.given_up) return;
  const auto over = attempt.end->forwarded ? attempt.end->forwarded : attempt.connection_ended;
  if (ended_at_the_caller(*attempt.end) || (over && *over <= attempt.given_up->at)) attempt.given_up.reset();
}

}  // namespace

std::optional<StatusCode> Attempt::seen_by_caller() const {
  if (given_up) return outcome_of_reset(given_up->code, at_deadline(*this, given_up->at));
  if (end && !ended_at_the_caller(*end) && !end->forwarded && connection_ended)
    return StatusCode::unavailable;
  return outcome();
}

std::optional<Instant> Attempt::ended_at() const {
  if (!end) return std::nullopt;
  if (given_up) return given_up->at;
  if (ended_at_the_caller(*end)) return end->received;
  return end->forwarded ? end->forwarded : connection_ended;
}

bool is_infrastructure(std::string_view method) {
  return method.starts_with("grpc.health.") || method.starts_with("grpc.reflection.");
}

Calls::Calls(const History& history) : history_(&history) {
  std::map<Stream, size_t> streams;
  std::map<std::pair<LoadId, uint64_t>, size_t> issued;
  const auto attempt_of = [&](ConnectionId connection, StreamId stream) -> Attempt* {
    const auto found = streams.find({connection, stream});
    return found == streams.end() ? nullptr : &attempts_[found->second];
  };
  each<faults::CallStarted>(history, [&](const Event& event, const faults::CallStarted& call) {
    streams[{call.connection, call.stream}] = attempts_.size();
    Attempt& attempt = attempts_.emplace_back();
    attempt.edge = call.edge;
    attempt.connection = call.connection;
    attempt.stream = call.stream;
    attempt.event = event.number;
    attempt.method = call.method;
    attempt.timeout = call.timeout;
    attempt.trace_id = call.trace_id;
    attempt.parent_id = call.parent_id;
    attempt.call_id = call.call_id;
    attempt.correlation = call.correlation;
    attempt.previous_attempts = call.previous_attempts;
    attempt.received = call.times.received;
    attempt.forwarded = call.times.forwarded;
  });
  each<CallIssued>(history, [&](const Event& event, const CallIssued& call) {
    issued[{call.load, call.number}] = load_calls_.size();
    load_calls_.push_back({.issued = &call, .issued_event = event.number, .issued_at = event.at});
  });
  Instant torn_down = Instant::max();
  each<PhaseBegan>(history, [&](const Event& event, const PhaseBegan& began) {
    if (began.phase == Phase::teardown) torn_down = std::min(torn_down, event.at);
  });
  for (const auto& event : history.events()) {
    if (const auto* response = std::get_if<faults::ResponseStarted>(&event.what)) {
      if (Attempt* attempt = attempt_of(response->connection, response->stream)) {
        attempt->response_forwarded = response->times.forwarded;
        attempt->http_status = response->http_status;
      }
    } else if (const auto* ended = std::get_if<faults::CallEnded>(&event.what)) {
      Attempt* attempt = attempt_of(ended->connection, ended->stream);
      if (attempt && !attempt->end) {
        attempt->end = {
            event.number,           ended->how,   ended->status,     ended->reset, ended->times.received,
            ended->times.forwarded, ended->fault, ended->pushback_ms};
      }
    } else if (const auto* moved = std::get_if<faults::Forwarded>(&event.what)) {
      Attempt* attempt = attempt_of(moved->connection, moved->stream);
      if (!attempt) continue;
      if (moved->frame == faults::FrameKind::call_started) attempt->forwarded = moved->at;
      if (moved->frame == faults::FrameKind::response_started) attempt->response_forwarded = moved->at;
      if (moved->frame == faults::FrameKind::call_ended && attempt->end) attempt->end->forwarded = moved->at;
    } else if (const auto* left = std::get_if<faults::CallGivenUp>(&event.what)) {
      Attempt* attempt = attempt_of(left->connection, left->stream);
      if (attempt && attempt->end && !attempt->given_up) attempt->given_up = {left->code, left->at};
    } else if (const auto* hit = std::get_if<faults::FaultHit>(&event.what)) {
      Attempt* attempt = hit->stream ? attempt_of(hit->connection, hit->stream) : nullptr;
      if (!attempt) continue;
      auto& hits = attempt->hit_by;
      if (std::find(hits.begin(), hits.end(), hit->fault) == hits.end()) hits.push_back(hit->fault);
    } else if (const auto* gone = std::get_if<faults::ConnectionEnded>(&event.what)) {
      for (auto at = streams.lower_bound({gone->connection, 0});
           at != streams.end() && at->first.first == gone->connection; ++at) {
        attempts_[at->second].connection_ended = gone->at;
      }
    } else if (const auto* done = std::get_if<CallDone>(&event.what)) {
      const auto found = issued.find({done->load, done->number});
      if (found == issued.end() || event.at >= torn_down) continue;
      LoadCall& call = load_calls_[found->second];
      call.done = done;
      call.done_event = event.number;
      call.done_at = event.at;
    }
  }
  for (Attempt& attempt : attempts_) forget_late_reset(attempt);
  add_calls_of_commands(torn_down);
}

std::vector<const Attempt*> Calls::attempts_of_all_kinds(const EdgeId& edge) const {
  std::vector<const Attempt*> found;
  for (const auto& attempt : attempts_) {
    if (attempt.edge == edge) found.push_back(&attempt);
  }
  return found;
}

std::vector<const Attempt*> Calls::attempts(const EdgeId& edge) const {
  auto found = attempts_of_all_kinds(edge);
  std::erase_if(found, [](const Attempt* attempt) { return is_infrastructure(attempt->method); });
  return found;
}

std::vector<const Calls::LoadCall*> Calls::load_calls(const LoadId& load) const {
  std::vector<const LoadCall*> found;
  for (const auto& call : load_calls_) {
    if (load.empty() || call.issued->load == load) found.push_back(&call);
  }
  return found;
}

}  // namespace breakwire::history
