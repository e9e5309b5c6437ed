// breakwire's relay as a process of its own, so that its processor time and memory can be read from outside.
//   bench_relay PORT UPSTREAM_PORT [unmatched | forgetful | edited]
// Every call is observed as in a scenario: the runner's Recorder numbers the events, keeps them, and shows
// them to the timeline. With `unmatched` a fault is armed whose method no call has; `forgetful` keeps no
// events, nor does `edited`, in which every field block is edited and therefore encoded anew.
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "faults/kinds/kind.h"
#include "faults/relay/network.h"
#include "harness/run/recorder.h"

namespace {

using namespace breakwire;

const EdgeId edge{"client->server"};

using Faults = std::vector<std::unique_ptr<relay::ActiveFault>>;

void arm(Faults& faults, relay::Network& network, const std::string& kind, const std::string& with,
         faults::Match match) {
  ErrorList errors;
  const auto made = faults::find_fault_kind(kind)->make(*json::parse(with, "with.json"), errors);
  faults.push_back(network.arm(edge, {.id = {kind + std::to_string(faults.size())},
                                      .kind = kind,
                                      .match = std::move(match),
                                      .fault = std::get<std::shared_ptr<const faults::WireFault>>(*made)}));
}

Faults arm_for(std::string_view mode, relay::Network& network) {
  Faults faults;
  if (mode == "unmatched") {
    faults::Match match;
    match.method = "bench.Echo/Never";
    arm(faults, network, "grpc_status", R"({"code": "UNAVAILABLE"})", std::move(match));
  }
  if (mode == "edited") {
    for (const auto stage : {faults::Stage::headers, faults::Stage::response_headers}) {
      faults::Match match;
      match.stage = stage;
      arm(faults, network, "metadata", R"({"set": {"x": "y"}})", std::move(match));
    }
  }
  return faults;
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
  relay::Network network(mode == "forgetful" || mode == "edited" ? static_cast<faults::Observer&>(forgetful)
                                                                 : recorder);
  network.open({.id = edge,
                .listen = {.port = port_of(argv[1])},
                .upstream = relay::TcpAddress{.port = port_of(argv[2])}});
  const Faults faults = arm_for(mode, network);
  int signal = 0;
  sigwait(&ends, &signal);
}
