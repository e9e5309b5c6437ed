#include "reports/json_report.h"

#include <cmath>

namespace breakwire::reports {
namespace {

using json::Value;
using namespace run;

/// Milliseconds with microseconds behind the point: what a person can read and a clock can mean.
Value ms(Duration duration) { return std::round(to_ms(duration) * 1000) / 1000; }
Value ms_or_null(const std::optional<Duration>& duration) { return duration ? ms(*duration) : Value(); }
template <class T>
Value or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

template <class Items, class Make>
Value list(const Items& items, Make make) {
  Value array = json::array();
  for (const auto& item : items) array.push(make(item));
  return array;
}

Value numbers(const std::vector<EventNumber>& events) {
  return list(events, [](EventNumber n) { return Value(n.value); });
}

Value pairs(const std::vector<std::pair<std::string, std::string>>& items) {
  Value object = json::object();
  for (const auto& [key, value] : items) object.set(key, value);
  return object;
}

Value phase_to_json(const PhaseResult& phase) {
  return json::object({{"name", phase.name}, {"began_ms", ms(phase.began)}, {"ended_ms", ms(phase.ended)}});
}

Value process_to_json(const ProcessResult& process) {
  return json::object({{"pid", process.pid},
                       {"started_ms", ms(process.started)},
                       {"exited_ms", ms_or_null(process.exited)},
                       {"exit_code", or_null(process.code)},
                       {"exit_signal", or_null(process.signal)},
                       {"expected", process.expected}});
}

Value service_to_json(const ServiceResult& service) {
  return json::object({{"id", service.id.text},
                       {"kind", service.kind},
                       {"processes", list(service.processes, process_to_json)},
                       {"log", service.log.empty() ? Value() : Value(service.log)},
                       {"last_output", json::strings(service.last_output)}});
}

Value sample_call_to_json(const SampleCall& sample) {
  return json::object({{"event", sample.event.value},
                       {"at_ms", ms(sample.at)},
                       {"action", sample.action},
                       {"method", sample.method},
                       {"call", sample.call_id},
                       {"trace_id", sample.trace_id},
                       {"connection", sample.connection.value},
                       {"stream", static_cast<uint64_t>(sample.stream)}});
}

Value fault_to_json(const FaultResult& fault) {
  return json::object({{"id", fault.id.text},
                       {"kind", fault.kind},
                       {"on", fault.on},
                       {"armed_ms", ms_or_null(fault.armed)},
                       {"first_hit_ms", ms_or_null(fault.first_hit)},
                       {"last_hit_ms", ms_or_null(fault.last_hit)},
                       {"cleared_ms", ms_or_null(fault.cleared)},
                       {"eligible", fault.eligible},
                       {"hits", fault.hits},
                       {"in_flight", or_null(fault.in_flight)},
                       {"fired", fault.fired},
                       {"reason", fault.reason},
                       {"fidelity", fault.fidelity},
                       {"cleanup", fault.cleanup},
                       {"samples", numbers(fault.samples)},
                       {"sample_calls", list(fault.sample_calls, sample_call_to_json)},
                       {"entry", fault.entry}});
}

Value check_to_json(const CheckOutcome& check) {
  return json::object({{"name", check.name},
                       {"kind", check.kind},
                       {"verdict", checks::to_text(check.result.verdict)},
                       {"expected", check.result.expected},
                       {"actual", check.result.actual},
                       {"reason", check.result.reason},
                       {"samples", check.result.samples},
                       {"window", check.window},
                       {"evidence", numbers(check.result.evidence)},
                       {"universal", check.universal},
                       {"file", check.file.empty() ? Value() : Value(check.file)},
                       {"line", check.line == 0 ? Value() : Value(static_cast<uint64_t>(check.line))}});
}

Value load_to_json(const LoadResult& load) {
  Value by_status = json::object();
  for (const auto& [status, count] : load.by_status) by_status.set(to_text(status), count);
  Value latency = json::object();
  for (const auto& [phase, p] : load.latency) {
    latency.set(phase, json::object({{"samples", p.samples},
                                     {"p50_ms", std::round(p.p50_ms * 1000) / 1000},
                                     {"p90_ms", std::round(p.p90_ms * 1000) / 1000},
                                     {"p95_ms", std::round(p.p95_ms * 1000) / 1000},
                                     {"p99_ms", std::round(p.p99_ms * 1000) / 1000},
                                     {"max_ms", std::round(p.max_ms * 1000) / 1000}}));
  }
  return json::object({{"id", load.id.text},
                       {"via", load.via.text},
                       {"method", load.method.empty() ? Value() : Value(load.method)},
                       {"command", load.command.empty() ? Value() : json::strings(load.command)},
                       {"log", load.log.empty() ? Value() : Value(load.log)},
                       {"issued", load.issued},
                       {"unfinished", load.unfinished},
                       {"late_starts", load.late_starts},
                       {"by_status", std::move(by_status)},
                       {"latency", std::move(latency)}});
}

Value twin_to_json(const std::optional<TwinResult>& twin) {
  if (!twin) return {};
  return json::object({{"name", twin->name},
                       {"expected", json::strings(twin->expected)},
                       {"observed", json::strings(twin->observed)}});
}

Value scenario_to_json(const ScenarioResult& s) {
  return json::object(
      {{"id", s.id},
       {"file", s.file},
       {"name", s.name},
       {"variant", s.variant.empty() ? Value() : Value(s.variant)},
       {"description", s.description},
       {"tags", json::strings(s.tags)},
       {"seed", s.seed},
       {"verdict", checks::to_text(s.verdict)},
       {"reason", s.reason},
       {"replay", s.replay},
       {"took_ms", ms(s.took)},
       {"twin", twin_to_json(s.twin)},
       {"baseline", s.baseline},
       {"waived", pairs(s.waived)},
       {"phases", list(s.phases, phase_to_json)},
       {"services", list(s.services, service_to_json)},
       {"faults", list(s.faults, fault_to_json)},
       {"checks", list(s.checks, check_to_json)},
       {"load", list(s.loads, load_to_json)},
       {"correlated", pairs(s.correlated)},
       {"relay_overhead", json::object({{"p50_us", std::round(s.relay_p50_us * 10) / 10},
                                        {"p99_us", std::round(s.relay_p99_us * 10) / 10}})},
       {"notes", json::strings(s.notes)},
       {"artifacts",
        json::object({{"history", s.history.empty() ? Value() : Value(s.history)}, {"events", s.events}})}});
}

}  // namespace

Value to_json(const RunResult& result) {
  const Summary sum = result.summary();
  Value where = json::object();
  for (const auto& [phase, spent] : result.where_time_went) where.set(phase, ms(spent));
  return json::object({{"format", report_format},
                       {"version", report_version},
                       {"run", json::object({{"breakwire", result.version},
                                             {"started", result.started},
                                             {"command", json::strings(result.command)},
                                             {"interrupted", result.interrupted},
                                             {"jobs", static_cast<uint64_t>(result.jobs)},
                                             {"took_ms", ms(result.took)},
                                             {"where_time_went_ms", std::move(where)}})},
                       {"summary", json::object({{"verdict", checks::to_text(sum.verdict)},
                                                 {"total", sum.total},
                                                 {"passed", sum.passed},
                                                 {"failed", sum.failed},
                                                 {"inconclusive", sum.inconclusive},
                                                 {"error", sum.error},
                                                 {"skipped", sum.skipped}})},
                       {"scenarios", list(result.scenarios, scenario_to_json)}});
}

std::string json_report(const RunResult& result) { return json::write(to_json(result)) + "\n"; }

}  // namespace breakwire::reports
