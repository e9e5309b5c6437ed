// The published shape of report.json. A test holds real reports against it with an independent validator.
#include "reports/json_report.h"

namespace breakwire::reports {
namespace {

using json::Value;

Value of(const char* type, const char* description) {
  Value schema = json::object({{"type", type}});
  if (*description) schema.set("description", description);
  return schema;
}
Value text(const char* description = "") { return of("string", description); }
Value count(const char* description = "") { return of("integer", description).set("minimum", 0); }
Value number(const char* description = "") { return of("number", description); }
Value flag(const char* description = "") { return of("boolean", description); }
Value nullable(Value schema) {
  const Value type = *schema.find("type");
  return schema.set("type", json::array({type, "null"}));
}
Value list_of(Value items, const char* description = "") {
  return of("array", description).set("items", std::move(items));
}
Value map_of(Value values, const char* description = "") {
  return of("object", description).set("additionalProperties", std::move(values));
}
/// Every member required, nothing else allowed.
Value exactly(std::initializer_list<std::pair<std::string_view, Value>> members,
              const char* description = "") {
  Value required = json::array();
  for (const auto& [name, schema] : members) required.push(name);
  return of("object", description)
      .set("properties", json::object(members))
      .set("required", std::move(required))
      .set("additionalProperties", false);
}
Value verdict() {
  Value schema = text("`failed` is the system under test, `error` the harness or its environment.");
  return schema.set("enum", json::strings({"passed", "failed", "inconclusive", "error", "skipped"}));
}

Value service() {
  return exactly(
      {{"id", text()},
       {"kind", text("process, postgres or external")},
       {"processes",
        list_of(exactly({{"pid", count()},
                         {"started_ms", number("from t = 0, the start of load")},
                         {"exited_ms", nullable(number())},
                         {"exit_code", nullable(of("integer", ""))},
                         {"exit_signal", nullable(of("integer", ""))},
                         {"expected", flag("the exit was a fault's doing or the end of the run")}}),
                "one for each start")},
       {"log", nullable(text("path below the report folder"))},
       {"last_output", list_of(text(), "when the service is to blame")}});
}

Value fault() {
  return exactly({{"id", text()},
                  {"kind", text()},
                  {"on", text("edge or service")},
                  {"armed_ms", nullable(number("from t = 0"))},
                  {"first_hit_ms", nullable(number())},
                  {"last_hit_ms", nullable(number("of bytes: when the last of them were hit"))},
                  {"cleared_ms", nullable(number())},
                  {"eligible", count("calls or connections it could have hit")},
                  {"hits", count()},
                  {"in_flight", nullable(count("calls in flight at the service when a process fault acted"))},
                  {"fired", flag("as often as must_fire asks")},
                  {"reason", text("why it did not fire")},
                  {"fidelity", text("`wire`: the real thing; else how it differs from it")},
                  {"cleanup", text("`healed`, `not needed`, or what went wrong")},
                  {"samples", list_of(count(), "event numbers of its first hits")},
                  {"sample_calls", list_of(exactly({{"event", count("the hit's number")},
                                                    {"at_ms", number("of the hit, from t = 0")},
                                                    {"action", text("what was done to it")},
                                                    {"method", text("empty when its beginning was not seen")},
                                                    {"call", text("the id that the load gave it, or empty")},
                                                    {"trace_id", text()},
                                                    {"connection", count()},
                                                    {"stream", count("HTTP/2's id, on the caller's side")}}),
                                           "those of the samples that are calls")},
                  {"entry", of("object", "as written in the scenario file")}});
}

Value check() {
  return exactly({{"name", text("its id, or its kind")},
                  {"kind", text()},
                  {"verdict", verdict()},
                  {"expected", text()},
                  {"actual", text()},
                  {"reason", text("why it is inconclusive")},
                  {"samples", count("what the verdict rests on")},
                  {"window", text()},
                  {"evidence", list_of(count(), "event numbers in the history")},
                  {"universal", flag("judged in every scenario unless waived")},
                  {"file", nullable(text())},
                  {"line", nullable(count())}});
}

Value load() {
  return exactly({{"id", text()},
                  {"via", text("edge")},
                  {"method", nullable(text("null for a command"))},
                  {"command", nullable(list_of(text(), "the user's own client, as written in the file"))},
                  {"log", nullable(text("of a command; path below the report folder"))},
                  {"issued", count()},
                  {"unfinished", count()},
                  {"late_starts", count("calls begun more than 5 ms later than intended")},
                  {"by_status", map_of(count(), "gRPC status name to number of calls")},
                  {"latency", map_of(exactly({{"samples", count()},
                                              {"p50_ms", number()},
                                              {"p90_ms", number()},
                                              {"p95_ms", number()},
                                              {"p99_ms", number()},
                                              {"max_ms", number()}}),
                                     "by phase; counted from when a call was meant to start")}});
}

Value scenario() {
  return exactly(
      {{"id", text("unique in the run: name, name[variant], name~twin")},
       {"file", text()},
       {"name", text()},
       {"variant", nullable(text())},
       {"description", text()},
       {"tags", list_of(text())},
       {"seed", count()},
       {"verdict", verdict()},
       {"reason", text("one sentence; empty when it passed")},
       {"replay", text("the command that runs it again")},
       {"took_ms", number()},
       {"twin", exactly({{"name", text()},
                         {"expected", list_of(text(), "checks that had to fail")},
                         {"observed", list_of(text(), "checks that failed")}},
                        "a flawed twin has passed when exactly the expected checks failed")
                    .set("type", json::array({"object", "null"}))},
       {"baseline", text()},
       {"waived", map_of(text(), "universal check to the reason given in the file")},
       {"phases", list_of(exactly({{"name", text()}, {"began_ms", number()}, {"ended_ms", number()}}))},
       {"services", list_of(service())},
       {"faults", list_of(fault())},
       {"checks", list_of(check())},
       {"load", list_of(load())},
       {"correlated", map_of(text(), "edge to how attempts were joined into calls")},
       {"relay_overhead",
        exactly({{"p50_us", number()}, {"p99_us", number()}}, "time the relays themselves added")},
       {"notes", list_of(text())},
       {"artifacts",
        exactly({{"history", nullable(text("NDJSON, below the report folder"))}, {"events", count()}})}});
}

}  // namespace

Value report_schema() {
  Value format = text();
  Value version = text("semantic version of this format");
  Value schema = exactly(
      {{"format", format.set("const", report_format)},
       {"version", version.set("pattern", "^1\\.[0-9]+\\.[0-9]+$")},
       {"run", exactly({{"breakwire", text("version of the program")},
                        {"started", text("wall clock, RFC 3339; for people only")},
                        {"command", list_of(text())},
                        {"interrupted", flag()},
                        {"jobs", count()},
                        {"took_ms", number()},
                        {"where_time_went_ms", map_of(number(), "phase to time, summed over scenarios")}})},
       {"summary", exactly({{"verdict", verdict()},
                            {"total", count()},
                            {"passed", count()},
                            {"failed", count()},
                            {"inconclusive", count()},
                            {"error", count()},
                            {"skipped", count()}})},
       {"scenarios",
        list_of(scenario(), "self-contained, so that reports of shards merge by concatenation")}});
  Value whole = json::object(
      {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "breakwire report"}});
  for (auto& member : schema.members) whole.set(member.key, std::move(member.value));
  return whole;
}

}  // namespace breakwire::reports
