#include "harness/run/standing.h"

#include <cstdlib>
#include <filesystem>

#include "harness/history/calls.h"
#include "harness/process/temp_directory.h"
#include "harness/run/topology.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

std::optional<std::string> environment_variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::vector<history::ProcessLife> lives(Recorder& recorder) {
  return recorder.locked(
      [](const history::History& history, Timeline&) { return history::process_lives(history); });
}

Standing describe(const scenario::Scenario& scenario, const std::string& bin, Topology& topology,
                  Recorder& recorder) {
  Standing standing;
  const auto& addresses = topology.addresses();
  const auto processes = lives(recorder);
  for (const auto& service : scenario.services) {
    Standing::Service told{.id = service.id, .kind = "external"};
    if (const auto* external = std::get_if<scenario::External>(&service.what)) {
      told.addresses["grpc"] = external->host + ":" + std::to_string(external->port);
    } else {
      told.kind = topology.service(service.id).kind();
      told.log = topology.service(service.id).log_path();
    }
    if (const auto ports = addresses.ports.find(service.id); ports != addresses.ports.end()) {
      for (const auto& [name, port] : ports->second)
        told.addresses[name] = "127.0.0.1:" + std::to_string(port);
    }
    if (!std::holds_alternative<scenario::PostgresService>(service.what)) {
      told.liveness = service.liveness;
      told.readiness = service.readiness;
    }
    if (service.metrics) {
      const scenario::Lookup environment = environment_variable;
      told.metrics = scenario::expand(*service.metrics, lookup_for(service.id, addresses, bin, environment));
    }
    for (const auto& life : processes) {
      if (life.service == service.id) told.pid = life.pid;
    }
    standing.services.push_back(std::move(told));
  }
  for (const auto& edge : scenario.edges) {
    const auto url = addresses.urls.find(edge.id);
    standing.edges.push_back({.id = edge.id,
                              .address = topology.target_of(edge.id),
                              .url = url == addresses.urls.end() ? "" : url->second});
  }
  return standing;
}

std::vector<StandingEnd::Gone> gone(Topology& topology, Recorder& recorder) {
  std::vector<StandingEnd::Gone> all;
  for (const auto& life : lives(recorder)) {
    if (!life.exited) continue;
    all.push_back({.service = life.service,
                   .how = process::to_text(process::ExitStatus{.code = life.code, .signal = life.signal}),
                   .last_output = topology.service(life.service).last_output(12)});
  }
  return all;
}

}  // namespace

StandingEnd hold_topology(const scenario::Scenario& scenario, const StandingOptions& options,
                          const std::function<void(const Standing&)>& ready, const std::stop_token& stop) {
  const Instant began = now();
  process::Guard guard({.program = options.guard_program});
  process::PostgresTemplate postgres(guard);
  std::optional<process::TempDirectory> own;
  std::string logs = options.log_dir;
  if (logs.empty()) {
    logs = own.emplace(guard).path();
  } else {
    std::filesystem::create_directories(logs);
  }
  Timeline timeline(scenario);
  // It may stand for days: what passes on the wire is not kept.
  Recorder recorder(setup_of(scenario), timeline, Recorder::Keep::processes);
  const std::stop_callback wake(stop, [&] { recorder.wake(); });
  StandingEnd end;
  Topology topology(scenario,
                    {.guard = guard,
                     .postgres = postgres,
                     .bin = options.bin,
                     .log_dir = logs,
                     .environment = environment_variable},
                    recorder);
  try {
    topology.start(stop);
    if (!stop.stop_requested()) {
      end.was_ready = true;
      Standing standing = describe(scenario, options.bin, topology, recorder);
      standing.took = now() - began;
      ready(standing);
    }
    while (!stop.stop_requested() && end.gone.empty() && !guard.lost()) {
      recorder.wait_until(now() + 1s);
      end.gone = gone(topology, recorder);
    }
    if (guard.lost()) {
      end.gone.clear();
      end.trouble = Error{.what = "breakwire's guard was killed, and every service with it"};
    }
    end.killed = topology.stop();
  } catch (const SetupError& error) {
    if (!stop.stop_requested()) end.trouble = error.error();
  }
  return end;
}

}  // namespace breakwire::run
