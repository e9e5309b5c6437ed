// What process faults do to a real process, seen by the kernel and by the process itself, not by us.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "faults/kinds/kind.h"
#include "faults/relay/port_reservation.h"
#include "harness/process/tcp_readiness.h"
#include "harness/run/running_service.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// Listens, says so, and leaves with code 7 when it is told to end. Does not start when there is a file
/// `broken` beside it.
constexpr const char* program = R"(
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
while True:
    server.accept()[0].close()
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
  void perform(const char* kind, const char* with, const faults::ProcessEvent& event) {
    ErrorList errors;
    const auto decision = faults::find_fault_kind(kind)->make(*json::parse(with, "with"), errors);
    ASSERT_TRUE(decision) << render(errors);
    Rng rng(1);
    const auto& fault = std::get<std::shared_ptr<const faults::ProcessFault>>(*decision);
    victim->perform(fault->decide(event, {}, rng), {"f"});
  }
  void begin(const char* kind, const char* with = "{}") { perform(kind, with, faults::ProcessArmed{now()}); }
  void end(const char* kind, const char* with = "{}") { perform(kind, with, faults::ProcessCleared{now()}); }

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

TEST_F(ProcessFaultTest, PauseFreezesAndItsEndThaws) {
  begin("pause");
  EXPECT_TRUE(becomes(pid(), [](char state) { return state == 'T'; }));
  EXPECT_EQ(nth<history::SignalSent>(1).signal, SIGSTOP);
  end("pause");
  EXPECT_TRUE(becomes(pid(), [](char state) { return state != 'T' && state != 'x'; }));
}

TEST_F(ProcessFaultTest, SignalReachesTheProgramsOwnHandler) {
  begin("signal", R"({"signal": "SIGTERM"})");
  const auto exited = nth<history::ProcessExited>(1);
  EXPECT_EQ(exited.code, 7);
  EXPECT_EQ(victim->last_output(1), std::vector<std::string>{"told to end"});
}

TEST_F(ProcessFaultTest, KillLeavesItNoWordToSay) {
  begin("kill");
  const auto exited = nth<history::ProcessExited>(1);
  EXPECT_EQ(exited.signal, SIGKILL);
  EXPECT_TRUE(becomes(pid(), [](char state) { return state == 'x'; }));
  EXPECT_EQ(victim->last_output(1), std::vector<std::string>{"up"});
}

TEST_F(ProcessFaultTest, RestartBringsAnotherProcessToTheSamePort) {
  begin("restart", R"({"down": "10ms"})");
  nth<history::ProcessExited>(1);
  EXPECT_NE(process::wait_until_connectable("127.0.0.1", port.port(), now()).outcome,
            process::Connectable::yes);
  end("restart", R"({"down": "10ms"})");
  EXPECT_NE(nth<history::ProcessStarted>(2).pid, pid());
  nth<history::ServiceReady>(2);
  EXPECT_EQ(process::wait_until_connectable("127.0.0.1", port.port(), now() + 5s).outcome,
            process::Connectable::yes);
}

TEST_F(ProcessFaultTest, ARestartThatFailsIsToldWithWhatItSaid) {
  begin("restart", R"({"down": "10ms"})");
  std::ofstream(folder.path() + "/broken") << "yes";
  end("restart", R"({"down": "10ms"})");
  const auto failed = nth<history::RestartFailed>(1);
  EXPECT_EQ(failed.service.text, "victim");
  EXPECT_NE(failed.why.find("died before it was ready (exit code 1)"), std::string::npos) << failed.why;
  EXPECT_NE(failed.why.find("it is broken"), std::string::npos) << failed.why;
}

TEST_F(ProcessFaultTest, WithoutItsGuardNoFaultThrowsAndARestartIsToldToHaveFailed) {
  begin("restart", R"({"down": "10ms"})");
  nth<history::ProcessExited>(1);
  ASSERT_EQ(::kill(guard.pid(), SIGKILL), 0);
  EXPECT_NO_THROW(begin("kill"));
  EXPECT_NO_THROW(begin("pause"));
  EXPECT_NO_THROW(end("restart", R"({"down": "10ms"})"));
  const auto failed = nth<history::RestartFailed>(1);
  EXPECT_NE(failed.why.find("guard"), std::string::npos) << failed.why;
}

}  // namespace
}  // namespace breakwire::run
