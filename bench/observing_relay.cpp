// breakwire's relay as a process of its own, so that its processor time and memory can be read from outside.
//   bench_relay PORT UPSTREAM_PORT [unmatched | forgetful]
// Every call is observed as in a scenario: the runner's Recorder numbers the events, keeps them, and shows
// them to the timeline. With `unmatched` a fault is armed whose method no call has; `forgetful` keeps no
// events.
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "faults/kinds/kind.h"
#include "faults/relay/network.h"
#include "harness/run/recorder.h"

namespace {

using namespace breakwire;

const EdgeId edge{"client->server"};

std::unique_ptr<relay::ActiveFault> arm_unmatched(relay::Network& network) {
  ErrorList errors;
  const auto with = json::parse(R"({"code": "UNAVAILABLE"})", "with.json");
  const auto made = faults::find_fault_kind("grpc_status")->make(*with, errors);
  faults::Match match;
  match.method = "bench.Echo/Never";
  return network.arm(edge, {.id = {"unmatched"},
                            .kind = "grpc_status",
                            .match = std::move(match),
                            .fault = std::get<std::shared_ptr<const faults::WireFault>>(*made)});
}

struct Forgetful final : faults::Observer {
  void observe(faults::Observation&&) override {}
};

uint16_t port_of(const char* text) { return static_cast<uint16_t>(std::atoi(text)); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 4;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  const scenario::Scenario scenario;
  run::Timeline timeline(scenario);
  timeline.start(std::chrono::steady_clock::now());
  run::Recorder recorder({.edges = {{.id = edge, .from = {"client"}, .to = {"server"}}}}, timeline);
  Forgetful forgetful;
  const std::string_view mode = argc > 3 ? argv[3] : "";
  relay::Network network(mode == "forgetful" ? static_cast<faults::Observer&>(forgetful) : recorder);
  network.open({.id = edge,
                .listen = {.port = port_of(argv[1])},
                .upstream = relay::TcpAddress{.port = port_of(argv[2])}});
  std::unique_ptr<relay::ActiveFault> fault;
  if (mode == "unmatched") fault = arm_unmatched(network);
  int signal = 0;
  sigwait(&ends, &signal);
}
