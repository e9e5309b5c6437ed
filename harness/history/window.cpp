#include "harness/history/window.h"

namespace breakwire::history {
namespace {

std::string seconds(Duration since_zero) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_zero).count();
  const auto magnitude = ms < 0 ? -ms : ms;
  std::string decimals = std::to_string(magnitude % 1000);
  decimals.insert(0, 3 - decimals.size(), '0');
  return (ms < 0 ? "-" : "") + std::to_string(magnitude / 1000) + "." + decimals + "s";
}

/// The run is over for checks when breakwire begins to stop the services. While it goes on, everything seen
/// so far is inside: one tick past the last event, since windows are half-open.
Instant end_of_run(const History& history) {
  for (const auto& event : history.events()) {
    const auto* phase = std::get_if<PhaseBegan>(&event.what);
    if (phase && (phase->phase == Phase::teardown || phase->phase == Phase::ended)) return event.at;
  }
  return history.last() + 1ns;
}

}  // namespace

FaultSpan span_of(const FaultId& fault, const History& history) {
  FaultSpan span;
  span.fault = fault;
  const FaultSetup* setup = history.setup().fault(fault);
  uint64_t hits = 0;
  bool told = false;
  for (const auto& event : history.events()) {
    if (const auto* armed = std::get_if<FaultArmed>(&event.what)) {
      if (armed->fault != fault || span.armed) continue;
      span.armed = event.at;
      span.armed_event = event.number;
      span.in_flight = armed->in_flight;
    } else if (const auto* hit = std::get_if<faults::FaultHit>(&event.what)) {
      if (hit->fault != fault) continue;
      ++hits;
      if (!span.first_hit || hit->at < *span.first_hit) {
        span.first_hit = hit->at;
        span.first_hit_event = event.number;
      }
      span.last_hit = std::max(span.last_hit.value_or(hit->at), hit->at);
    } else if (const auto* cleared = std::get_if<FaultCleared>(&event.what)) {
      if (cleared->fault != fault) continue;
      span.cleared = event.at;
      span.tally = cleared->tally;
      if (span.last_hit && cleared->last_hit) span.last_hit = std::max(*span.last_hit, *cleared->last_hit);
      told = true;
    }
  }
  if (!told || (setup && setup->process)) span.tally.hits = hits;
  return span;
}

std::variant<Window, NoWindow> resolve(const WindowSpec& spec, const History& history) {
  if (history.events().empty()) return NoWindow{"nothing was recorded"};
  const Instant zero = history.zero();
  const Instant end = end_of_run(history);
  const auto window = [&](const std::string& name, Instant from,
                          Instant to) -> std::variant<Window, NoWindow> {
    if (to <= from) return NoWindow{"the window `" + name + "` is empty: the run was over before it began"};
    return Window{from, to, name + " (" + seconds(from - zero) + " – " + seconds(to - zero) + ")"};
  };
  if (spec.relation == Relation::whole) return window("the whole run", zero, end);

  const std::string fault = "fault `" + spec.fault.text + "`";
  const FaultSpan span = span_of(spec.fault, history);
  const FaultSetup* setup = history.setup().fault(spec.fault);
  const bool instant = setup && setup->instant;
  if (!span.armed) return NoWindow{fault + " was never armed"};
  if (!span.first_hit && span.tally.hits == 0) return NoWindow{fault + " never fired"};

  switch (spec.relation) {
    case Relation::whole:
      break;
    case Relation::before:
      return window("before " + spec.fault.text, zero, *span.armed);
    case Relation::during:
      if (instant) return NoWindow{fault + " is instantaneous: there is no `during`"};
      return window("during " + spec.fault.text, *span.armed, std::min(span.cleared.value_or(end), end));
    case Relation::after: {
      const std::string mark = !spec.mark.empty() ? spec.mark : instant ? "start" : "end";
      const std::string name = "after " + spec.fault.text + (spec.mark.empty() ? "" : "." + spec.mark);
      if (mark == "start" || instant) {
        return window(name, mark == "first_hit" ? span.first_hit.value_or(*span.armed) : *span.armed, end);
      }
      if (mark == "first_hit") {
        if (!span.first_hit) return NoWindow{fault + " told of no hit"};
        return window(name, *span.first_hit, end);
      }
      if (!span.cleared) return NoWindow{fault + " was in force to the end"};
      return window(name, *span.cleared, end);
    }
  }
  return NoWindow{"no such window"};
}

}  // namespace breakwire::history
