// What faults do to calls: asking about a stage, and carrying out the ruling.
#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "faults/http2/grpc_fields.h"
#include "faults/http2/session_core.h"

namespace breakwire::http2 {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

bool is_forward(const faults::WireAction& action) { return std::holds_alternative<faults::Forward>(action); }

bool answers(const faults::WireAction& action) {
  return std::holds_alternative<faults::EndCall>(action) ||
         std::holds_alternative<faults::ResetStream>(action) ||
         std::holds_alternative<faults::AnswerHttp>(action);
}

/// The frame that reached the stage leaves, if not whole.
bool lets_pass(const faults::WireAction& action) {
  return is_forward(action) || std::holds_alternative<faults::WithholdResponse>(action);
}

/// Something else than the frame is going to leave.
bool answered_by(const Gate& gate) {
  return !is_forward(gate.action) && !std::holds_alternative<faults::Hold>(gate.action);
}

bool edits(const Gate& gate) {
  return std::any_of(gate.effects.begin(), gate.effects.end(), [](const faults::Effect& effect) {
    return std::holds_alternative<faults::EditFields>(effect.action);
  });
}

/// What a fault may only say at some stages is for others as if it had said nothing.
bool is_for(Stage stage, const faults::WireAction& action) {
  if (std::holds_alternative<faults::WithholdResponse>(action)) return stage == Stage::headers;
  if (std::holds_alternative<faults::DropTrailers>(action)) return stage == Stage::response_end;
  if (std::holds_alternative<faults::CutMessage>(action)) {
    return stage == Stage::request_message || stage == Stage::response_message;
  }
  return true;
}

}  // namespace

void Session::Core::consult(Stream& stream, Direction direction, Stage stage, const Item& item,
                            uint64_t message, bool early) {
  open_gate(stream, direction, item,
            {.stage = stage, .call = &stream.facts, .message = message, .fields = nullptr, .early = early},
            {});
}

void Session::Core::consult_again(Stream& stream, Direction direction) {
  Lane& lane = stream.lane(direction);
  const auto before = std::exchange(lane.gate, nullptr);
  const Gate& ended = *before;
  forget_due(ended.due, stream.down, direction);
  const Item& item = lane.waiting.front();
  faults::CallReached reached{.stage = ended.stage,
                              .call = &stream.facts,
                              .message = 0,
                              .fields = nullptr,
                              .early = false,
                              .again = true};
  if (item.ruling_on) {
    reached.early = !item.ruling_on->whole;
    reached.message = reached.early ? lane.messages.index() : item.ruling_on->counted.index;
  }
  open_gate(stream, direction, item, reached, ended.delays);
}

void Session::Core::open_gate(Stream& stream, Direction direction, const Item& item,
                              faults::CallReached reached,
                              const std::vector<std::pair<FaultId, Duration>>& told) {
  if (!host_.rules(stream.facts)) return;
  if (stream.facts.metadata.empty()) stream.facts.metadata = stream.request.list();
  const Stage stage = reached.stage;
  const bool unedited = direction == Direction::request && !stream.opened() && !item.edited;
  faults::Metadata fields;
  if (item.kind == Item::Kind::headers) {
    if (!unedited) fields = item.fields.list();
    reached.fields = unedited ? &stream.facts.metadata : &fields;
  }
  faults::Ruling ruling = host_.decide(reached);
  if (reached.early && !std::holds_alternative<faults::CutMessage>(ruling.action)) return;
  for (const FaultId& fault : ruling.delayed_by) {
    const bool known =
        std::any_of(told.begin(), told.end(), [&](const auto& delay) { return delay.first == fault; });
    if (!known) fault_hit(fault, stream.down, faults::Delay{ruling.delay});
  }
  if (!is_for(stage, ruling.action)) {
    assert(!"an action that is not for this stage");
    ruling.action = faults::Forward{};
  }
  const bool nothing =
      ruling.delay <= Duration::zero() && is_forward(ruling.action) && ruling.effects.empty();
  if (nothing && !reached.again) return;  // else the gate says that it has been asked about
  Gate gate{.stage = stage,
            .due = item.received + std::max(ruling.delay, Duration::zero()),
            .action = std::move(ruling.action),
            .by = std::move(ruling.by),
            .effects = std::move(ruling.effects)};
  for (size_t i = 0; i < ruling.delays.size(); ++i) {
    gate.delays.emplace_back(ruling.delayed_by[i], ruling.delays[i]);
  }
  if (gate.due > now_) due_.emplace(gate.due, std::pair{stream.down, direction});
  stream.lane(direction).gate = std::make_unique<Gate>(std::move(gate));
}

bool Session::Core::withdraw(Stream& stream, Direction direction, const FaultId& fault) {
  Gate& gate = *stream.lane(direction).gate;
  if (gate.by == fault) {
    consult_again(stream, direction);
    return true;
  }
  const bool concerned =
      std::erase_if(gate.effects, [&](const auto& effect) { return effect.by == fault; }) > 0;
  const Duration less = std::accumulate(
      gate.delays.begin(), gate.delays.end(), Duration{},
      [&](Duration sum, const auto& delay) { return delay.first == fault ? sum + delay.second : sum; });
  if (less <= Duration::zero()) return concerned;
  std::erase_if(gate.delays, [&](const auto& delay) { return delay.first == fault; });
  forget_due(gate.due, stream.down, direction);
  gate.due -= less;
  if (gate.due > now_) due_.emplace(gate.due, std::pair{stream.down, direction});
  return true;
}

Session::Core::Step Session::Core::reach(Stream& stream, Direction direction, Stage stage, Item& item) {
  if (!stream.lane(direction).gate) consult(stream, direction, stage, item);
  return stream.lane(direction).gate ? resolve(stream, direction, item) : Step::done;
}

Session::Core::Step Session::Core::resolve(Stream& stream, Direction direction, Item& item) {
  Lane& lane = stream.lane(direction);
  if (lane.gate->due > now_) return Step::waits;
  // Nothing can be answered before the upstream's SETTINGS have opened that direction.
  if (answers(lane.gate->action) && !peer(Side::downstream).begun) return Step::waits;
  if (!is_forward(lane.gate->action) && !std::exchange(lane.gate->told, true)) {
    fault_hit(lane.gate->by, stream.down, lane.gate->action);
    host_.carried_out(lane.gate->by, stream.down);
  }
  if (std::holds_alternative<faults::Hold>(lane.gate->action)) return Step::waits;

  const auto decided = std::exchange(lane.gate, nullptr);
  const Gate& gate = *decided;
  if (lets_pass(gate.action)) apply_effects(stream, direction, item, gate);
  const auto demanded = [&](bool reset) {
    set_demand(reset, gate.by);
    return Step::gone;
  };
  const auto impossible = [] {
    assert(!"an action that is not for calls");
    return Step::done;
  };
  return std::visit(
      Overloaded{
          [](const faults::Forward&) { return Step::done; },
          [](const faults::Delay&) { return Step::done; },
          [](const faults::Hold&) { return Step::waits; },
          [&](const faults::EndCall& answer) { return end_with_status(stream, answer, gate.by); },
          [&](const faults::WithholdResponse&) {
            stream.withheld_by = gate.by;
            return Step::done;
          },
          [&](const faults::ResetStream& reset) { return end_with_reset(stream, reset.code, gate.by); },
          [&](const faults::ResetConnection&) { return demanded(true); },
          [&](const faults::CloseConnection&) { return demanded(false); },
          [&](const faults::AnswerHttp& answer) { return end_with_page(stream, answer, gate.by); },
          [&](const faults::DropTrailers&) { return end_without_trailers(stream, gate.by); },
          [&](const faults::CutMessage& cut) {
            lane.cut = Cut{.bytes = cut.bytes};
            if (direction == Direction::response) stream.spoilt_by = gate.by;
            return Step::done;
          },
          [&](const auto&) { return impossible(); },
      },
      gate.action);
}

Session::Core::Step Session::Core::end_with_status(Stream& stream, const faults::EndCall& answer,
                                                   const FaultId& by) {
  cancel_upstream(stream);
  const auto ticket = tell_ended(stream, {.how = faults::Ending::ended_by_fault,
                                          .status = answer.code,
                                          .message = answer.message,
                                          .fault = by,
                                          .pushback_ms = pushback_of(answer.metadata)});
  if (!stream.lane(Direction::response)
           .sent_end) {  // else the upstream has answered before the request's end
    way(Direction::response)
        .blocks.inject(out(Side::downstream),
                       status_fields(!stream.response_started, answer.code, answer.message, answer.metadata),
                       stream.down, true, peer(Side::downstream).accepts.max_frame_size);
  }
  return close_answered(stream, ticket);
}

Session::Core::Step Session::Core::end_with_reset(Stream& stream, Http2Error code, const FaultId& by) {
  // REFUSED_STREAM promises that the call was not processed, which is ours to say only of what never left.
  if (code == Http2Error::refused_stream && stream.opened()) code = Http2Error::cancel;
  cancel_upstream(stream);
  const auto ticket = tell_ended(stream, {.how = faults::Ending::ended_by_fault, .reset = code, .fault = by});
  send_reset(Side::downstream, stream.down, code);
  ended_leaves(stream, ticket, Side::downstream);
  ids_.answered(stream.down);
  remove(stream);
  return Step::gone;
}

void Session::Core::cancel_upstream(Stream& stream) {
  if (!stream.opened() || stream.up_closed()) return;
  send_reset(Side::upstream, stream.up, Http2Error::cancel);
  stream.up_reset = true;
}

Session::Core::Step Session::Core::close_answered(Stream& stream, ObservationLog::Ticket ended) {
  ended_leaves(stream, ended, Side::downstream);
  if (!stream.lane(Direction::request).received_end) {
    send_reset(Side::downstream, stream.down, Http2Error::no_error);
  }
  ids_.answered(stream.down);
  remove(stream);
  return Step::gone;
}

void Session::Core::fault_hit(const FaultId& fault, StreamId stream, const faults::WireAction& action) {
  log_.add(faults::FaultHit{.edge = options_.edge,
                            .fault = fault,
                            .connection = options_.connection,
                            .stream = stream,
                            .at = now_,
                            .action = faults::name_of(action)});
}

void Session::Core::tell_upstream_ended(Stream& stream, const Item& item) {
  const Lane& lane = stream.lane(Direction::response);
  // A fault that is about to answer in the upstream's place, or to edit this frame, decides how the call
  // ends.
  const bool decided = lane.gate && (answered_by(*lane.gate) || (lane.waiting.empty() && edits(*lane.gate)));
  if (decided || !stream.withheld_by.empty()) {
    if (item.kind != Item::Kind::reset || lane.gate) return;
  }
  if (item.kind == Item::Kind::reset) {
    tell_ended(
        stream,
        {.times = {.received = item.received}, .how = faults::Ending::reset_by_upstream, .reset = item.code});
    return;
  }
  const auto message = value_of(item.fields, "grpc-message");
  tell_ended(stream,
             {.times = {.received = item.received},
              .how = stream.spoilt_by.empty() ? faults::Ending::trailers : faults::Ending::ended_by_fault,
              .status = status_of(item.fields, stream.http_status),
              .message = message ? percent_decode(*message) : std::string{},
              .fault = stream.spoilt_by,
              .pushback_ms = pushback_of(item.fields)});
}

ObservationLog::Ticket Session::Core::tell_ended(Stream& stream, faults::CallEnded ended) {
  if (stream.ended != 0) return 0;
  ended.edge = options_.edge;
  ended.connection = options_.connection;
  ended.stream = stream.down;
  if (ended.times.received == Instant{}) ended.times.received = now_;
  --live_calls_;
  stream.ended = log_.open(std::move(ended));
  return stream.ended;
}

void Session::Core::ended_leaves(Stream& stream, ObservationLog::Ticket ticket, Side to) {
  if (ticket == 0 || std::exchange(stream.ended_left, true)) return;
  log_.leaves(ticket, to, peer(to).output.end(), stream.down, faults::FrameKind::call_ended);
}

}  // namespace breakwire::http2
