// `breakwire up`: start a scenario's topology, say where everything is, hold until Ctrl-C.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/programs.h"
#include "harness/run/standing.h"
#include "harness/run/store.h"

namespace breakwire::cli {
namespace {

namespace fs = std::filesystem;

/// Of a matrix and its twins: the one that is neither, else the first that is no twin.
const scenario::Scenario& plain_one(const std::vector<scenario::Scenario>& all) {
  const auto find = [&](auto suits) { return std::find_if(all.begin(), all.end(), suits); };
  auto found = find([](const auto& one) { return !one.twin && one.variant.empty(); });
  if (found == all.end()) found = find([](const auto& one) { return !one.twin; });
  return found == all.end() ? all.front() : *found;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

void line(const char* label, const std::string& says) {
  if (!says.empty()) std::printf("  %-9s%s\n", label, says.c_str());
}

void tell(const run::Standing& standing) {
  for (const auto& service : standing.services) {
    std::printf("service %s (%s%s)\n", service.id.text.c_str(), service.kind.c_str(),
                service.pid ? (", pid " + std::to_string(*service.pid)).c_str() : "");
    std::vector<std::string> addresses;
    for (const auto& [name, address] : service.addresses) addresses.push_back(name + " " + address);
    line("address", joined(addresses));
    if (const auto grpc = service.addresses.find("grpc");
        grpc != service.addresses.end() && !service.readiness.empty()) {
      line("health", grpc->second + ", readiness is \"" + service.readiness + "\", liveness is \"" +
                         service.liveness + "\"");
    }
    line("metrics", service.metrics);
    line("log", service.log);
  }
  for (const auto& edge : standing.edges) {
    std::printf("edge %s\n", edge.id.text.c_str());
    line("address", edge.address);
    line("url", edge.url);
  }
  std::printf("ready after %.1f s; dial the edges' addresses; Ctrl-C stops everything\n",
              to_ms(standing.took) / 1000);
  std::fflush(stdout);
}

int tell_end(const run::StandingEnd& end, bool interrupted) {
  for (const auto& id : end.killed) {
    std::fprintf(stderr, "note: service %s did not end within its grace and was killed\n", id.text.c_str());
  }
  if (end.trouble) {
    std::fputs(render(*end.trouble).c_str(), stderr);
    return 3;
  }
  for (const auto& gone : end.gone) {
    std::fprintf(stderr, "error: service `%s` ended by itself (%s)%s\n", gone.service.text.c_str(),
                 gone.how.c_str(), gone.last_output.empty() ? "; it printed nothing" : "; its last output:");
    for (const auto& text : gone.last_output) std::fprintf(stderr, "      %s\n", text.c_str());
  }
  if (!end.gone.empty()) return 1;
  if (interrupted && !end.was_ready) {
    std::fputs("error: interrupted before everything was ready\n", stderr);
    return 3;
  }
  std::puts("stopped");
  return 0;
}

}  // namespace

int up_command(const UpOptions& options) {
  const Interrupt interrupt("stopping what was started");
  if (fs::is_directory(options.file)) {
    std::fprintf(stderr, "error: %s is a folder\n  give the file of the scenario that is to be started\n",
                 options.file.c_str());
    return 4;
  }
  Selection selection{.paths = {options.file}, .tags = {}, .only = {}, .seed = {}};
  if (!options.only.empty()) selection.only = {options.only};
  const Selected selected = select(selection);
  for (const auto& [file, errors] : selected.bad) std::fputs(render(errors).c_str(), stderr);
  std::fputs(render(selected.wrong).c_str(), stderr);
  if (!selected.bad.empty() || !selected.wrong.empty() || selected.scenarios.empty()) return 4;
  const auto programs = find_programs(options.bin);
  if (!programs || !may_be_report_folder(options.report)) return 4;

  const auto& scenario = plain_one(selected.scenarios);
  if (selected.scenarios.size() > 1) {
    std::fprintf(stderr, "note: %s holds %zu scenarios; this is `%s`, others by --only\n",
                 options.file.c_str(), selected.scenarios.size(), scenario.id().c_str());
  }
  run::StandingOptions standing{.bin = programs->bin, .guard_program = programs->guard, .log_dir = {}};
  if (!options.report.empty()) {
    const fs::path logs = fs::absolute(options.report) / "logs" / run::file_name_of(scenario);
    fs::remove_all(logs);  // of an earlier time
    standing.log_dir = logs.lexically_normal().string();
  }
  std::vector<std::string> names;
  for (const auto& service : scenario.services) names.push_back(service.id.text);
  std::printf("starting %s of %s\n", joined(names).c_str(), scenario.id().c_str());
  std::fflush(stdout);
  const auto end = run::hold_topology(scenario, standing, tell, interrupt.token());
  return tell_end(end, interrupt.token().stop_requested());
}

}  // namespace breakwire::cli
