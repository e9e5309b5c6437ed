// A service of one small process, and faults of the registry done to it: for tests of what process faults do.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "faults/kinds/kind.h"
#include "faults/relay/port_reservation.h"
#include "harness/run/running_service.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {

inline Instant now() { return std::chrono::steady_clock::now(); }

/// Listens, says so, and leaves with code 7 when it is told to end. Asked over a connection for "files" it
/// opens as many as it can, for "memory" 256 MiB, and answers what came of it. Does not start when there is a
/// file `broken` beside it.
inline constexpr const char* program = R"(
import os, signal, socket, sys
if os.path.exists("broken"):
    sys.exit("it is broken")
def leave(*_):
    print("told to end", flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, leave)
host, port = sys.argv[1].split(":")
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, int(port)))
server.listen()
print("up", flush=True)
def tried(what):
    if what == "files":
        files = []
        try:
            while len(files) < 500:
                files.append(open("/dev/null"))
        except OSError as error:
            return f"{len(files)} {os.strerror(error.errno)}"
        return str(len(files))
    try:
        bytearray(256 << 20)
    except MemoryError:
        return "MemoryError"
    return "enough"
while True:
    peer = server.accept()[0]
    what = peer.recv(100).decode()
    if what:
        peer.sendall(tried(what).encode())
    peer.close()
)";

class ProcessFaultTest : public testing::Test {
 protected:
  ProcessFaultTest() {
    scenario.name = "process-faults";
    scenario::Service service;
    service.id = {"victim"};
    service.what = scenario::RunCommand{.argv = {"/usr/bin/python3", "-c", program, "${address.grpc}"},
                                        .cwd = folder.path()};
    scenario.services = {service};
    addresses.ports[service.id]["grpc"] = port.port();
    victim = make_process_service({.service = scenario.services.front(),
                                   .guard = guard,
                                   .postgres = postgres,
                                   .recorder = recorder,
                                   .addresses = addresses,
                                   .bin = bin,
                                   .environment = no_environment,
                                   .log_path = folder.path() + "/victim.log"});
    victim->start({});
    recorder.record(now(), history::PhaseBegan{history::Phase::main});
  }

  /// What the fault of this kind answers when it begins or ends, done to the victim.
  std::optional<std::string> perform(const char* kind, const char* with, const faults::ProcessEvent& event,
                                     const char* id = "f") {
    ErrorList errors;
    const auto decision = faults::find_fault_kind(kind)->make(*json::parse(with, "with"), errors);
    EXPECT_TRUE(decision) << render(errors);
    Rng rng(1);
    const auto& fault = std::get<std::shared_ptr<const faults::ProcessFault>>(*decision);
    return victim->perform(fault->decide(event, {}, rng), {id});
  }
  /// Answers why it could not be done.
  std::optional<std::string> begin(const char* kind, const char* with = "{}", const char* id = "f") {
    return perform(kind, with, faults::ProcessArmed{now()}, id);
  }
  std::optional<std::string> end(const char* kind, const char* with = "{}", const char* id = "f") {
    return perform(kind, with, faults::ProcessCleared{now()}, id);
  }

  /// The last event of one kind, once there are `count` of them.
  template <class P>
  P nth(size_t count) {
    for (const Instant deadline = now() + 10s; now() < deadline; std::this_thread::yield()) {
      std::vector<P> found = recorder.locked([](const history::History& history, Timeline&) {
        std::vector<P> all;
        history::each<P>(history, [&](const auto&, const P& payload) { all.push_back(payload); });
        return all;
      });
      if (found.size() >= count) return found[count - 1];
    }
    ADD_FAILURE() << "it never happened";
    return {};
  }
  int pid() { return nth<history::ProcessStarted>(1).pid; }

  /// The kernel's letter for its state: proc(5). 'x' when there is no such process.
  static char state_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return 'x';
    return line[line.rfind(')') + 2];
  }
  static bool becomes(int pid, auto holds) {
    for (const Instant deadline = now() + 10s; now() < deadline; std::this_thread::yield()) {
      if (holds(state_of(pid))) return true;
    }
    return false;
  }

  process::Guard guard{{.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}};
  process::PostgresTemplate postgres{guard};
  process::TempDirectory folder{guard};
  relay::PortReservation port;
  scenario::Scenario scenario;
  Timeline timeline{scenario};
  Recorder recorder{setup_of(scenario), timeline};
  Addresses addresses;
  std::string bin;
  scenario::Lookup no_environment = [](std::string_view) { return std::nullopt; };
  std::unique_ptr<RunningService> victim;
};

}  // namespace breakwire::run
