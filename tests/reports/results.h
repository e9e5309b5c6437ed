// A run with something of everything in it, written by hand, for tests of reports.
#pragma once

#include <csignal>

#include "harness/run/result.h"

namespace breakwire::reports {

using run::Verdict;

inline run::ScenarioResult passed_scenario() {
  run::ScenarioResult s{.id = "no-fault", .file = "scenarios/no-fault.json", .name = "no-fault"};
  s.description = "Nothing breaks.";
  s.tags = {"baseline"};
  s.seed = 18446744073709551615ull;
  s.verdict = Verdict::passed;
  s.replay = "breakwire run scenarios/no-fault.json --only 'no-fault' --seed 18446744073709551615";
  s.baseline = "none: no faults, all of it is judged";
  s.took = 2345ms;
  s.history = "history/no-fault.ndjson";
  s.events = 1234;
  return s;
}

inline run::ScenarioResult failed_scenario() {
  run::ScenarioResult s{.id = "sigterm[delay=100ms]", .file = "scenarios/sigterm.json", .name = "sigterm"};
  s.variant = "delay=100ms";
  s.seed = 42;
  s.verdict = Verdict::failed;
  s.reason = "check `exit`: expected orders exits with 0 within 3s; found exited with 1 after 0.2s";
  s.replay = "breakwire run scenarios/sigterm.json --only 'sigterm[delay=100ms]' --seed 42";
  s.baseline = "green (23 calls)";
  s.waived = {{"calls_end", "known defect of gRPC 1.51.1"}};
  s.took = 4200ms;
  s.phases = {{"setup", -300ms, 0ms}, {"main", 0ms, 3s}};
  s.services = {
      {.id = {"orders"},
       .kind = "process",
       .processes = {{.pid = 10, .started = -250ms, .exited = 2s, .code = 1, .signal = {}, .expected = false},
                     {.pid = 11, .started = 2500ms, .exited = {}, .code = {}, .signal = SIGKILL}},
       .log = "logs/sigterm/orders.log",
       .last_output = {"caught \x1b[31mSIGTERM", "bytes \xff\xfe that are no text"}},
      {.id = {"legacy"}, .kind = "external", .processes = {}, .log = {}, .last_output = {}}};
  run::FaultResult term{.id = {"term"}, .kind = "signal", .on = "orders"};
  term.armed = 1800ms;
  term.first_hit = term.last_hit = 1801ms;
  term.cleared = 1802ms;
  term.eligible = term.hits = 1;
  term.in_flight = 6;
  term.fired = true;
  term.fidelity = "wire";
  term.cleanup = "not needed";
  term.samples = {{77}};
  term.entry = json::object({{"id", "term"}, {"fault", "signal"}, {"on", "orders"}});
  run::FaultResult slow{.id = {"slow"}, .kind = "latency", .on = "orders->inventory"};
  slow.reason = "fault `slow` never fired: the run ended before its time";
  slow.fidelity = "wire";
  slow.cleanup = "not needed";
  slow.sample_calls = {{.event = {91},
                        .at = 1900ms,
                        .action = "end_call",
                        .method = "shop.v1.OrdersService/PlaceOrder",
                        .call_id = "shoppers-17",
                        .trace_id = "0123456789abcdef0123456789abcdef",
                        .connection = {3},
                        .stream = 7}};
  slow.entry = json::object({{"id", "slow"}});
  s.faults = {term, slow};
  s.checks = {{.name = "outcomes",
               .kind = "outcomes",
               .result = {.verdict = Verdict::passed,
                          .expected = "every call ends with OK",
                          .actual = "298 OK",
                          .samples = 298,
                          .evidence = {},
                          .reason = {}},
               .window = "the whole run (0.000s – 3.000s)",
               .universal = false,
               .file = "scenarios/sigterm.json",
               .line = 21},
              {.name = "exit",
               .kind = "exit",
               .result = {.verdict = Verdict::failed,
                          .expected = "orders exits with 0 within 3s",
                          .actual = "exited with 1 after 0.2s",
                          .samples = 1,
                          .evidence = {{77}, {80}},
                          .reason = {}},
               .window = "after term (1.800s – 3.000s)",
               .universal = false,
               .file = "scenarios/sigterm.json",
               .line = 24},
              {.name = "calls_end",
               .kind = "calls_end",
               .result = {.verdict = Verdict::inconclusive,
                          .expected = "no stream stays open",
                          .actual = "no stream at all",
                          .samples = 0,
                          .evidence = {},
                          .reason = "only 0 samples, 1 needed"},
               .window = {},
               .universal = true,
               .file = {},
               .line = 0}};
  run::LoadResult load{
      .id = {"shoppers"}, .via = {"client->storefront"}, .method = "shop.v1.StorefrontService/PlaceOrder"};
  load.issued = 300;
  load.unfinished = 1;
  load.late_starts = 2;
  load.by_status = {{StatusCode::ok, 297}, {StatusCode::unavailable, 2}};
  load.latency = {{"baseline", {23, 4.25, 6, 7, 8, 9.0004}}, {"main", {276, 5, 60, 70, 80, 90}}};
  s.loads = {load};
  s.correlated = {{"orders->inventory", "attempts_header"}};
  s.events = 9000;
  s.relay_p50_us = 41.27;
  s.relay_p99_us = 130;
  s.notes = {"service orders did not end within its grace when breakwire stopped it, and was killed"};
  s.history = "history/sigterm.ndjson";
  return s;
}

inline run::ScenarioResult twin_scenario() {
  run::ScenarioResult s = passed_scenario();
  s.id = "sigterm~no-drain";
  s.name = "sigterm";
  s.file = "scenarios/sigterm.json";
  s.twin =
      run::TwinResult{.name = "no-drain", .expected = {"exit", "health"}, .observed = {"exit", "health"}};
  return s;
}

inline run::ScenarioResult bad_file_scenario() {
  run::ScenarioResult s{.id = "typo", .file = "scenarios/typo.json", .name = "typo"};
  s.verdict = Verdict::error;
  s.file_at_fault = true;
  s.reason = "unknown fault `latncy`\n   --> scenarios/typo.json:14:41";
  return s;
}

inline run::RunResult rich_run() {
  run::RunResult run;
  run.version = "0.1.0";
  run.started = "2024-01-02T03:04:05Z";
  run.command = {"breakwire", "run", "scenarios"};
  run.interrupted = false;
  run.took = 6789ms;
  run.jobs = 2;
  run.where_time_went = {{"setup", 1500ms}, {"main", 5s}};
  run.scenarios = {passed_scenario(), failed_scenario(), twin_scenario(), bad_file_scenario()};
  return run;
}

}  // namespace breakwire::reports
