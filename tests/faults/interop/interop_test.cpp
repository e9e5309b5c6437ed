// gRPC's interop cases with C++ and Python on both ends, direct and through a relay without faults: every
// call is as the cases' description has it, and what either end sees of it is the same.
#include <gtest/gtest.h>

#include <functional>

#include "base/json.h"
#include "tests/faults/interop/client.h"
#include "tests/faults/interop/expectations.h"
#include "tests/faults/interop/server.h"
#include "tests/faults/relay/relay_test.h"
#include "tests/services/child.h"

namespace breakwire::interop {
namespace {

using services_test::Child;
using services_test::eventually;
using namespace std::chrono_literals;

constexpr auto direct = "direct";
constexpr auto relayed = "relayed";

std::vector<std::string> python(const std::string& program, const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> command{"/usr/bin/env", "PYTHONPATH=" INTEROP_STUBS, "PYTHONDONTWRITEBYTECODE=1",
                                   "/usr/bin/python3",
                                   BREAKWIRE_SOURCE_DIR "/tests/faults/interop/" + program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

/// The service in either language.
class AnyServer {
 public:
  AnyServer(Language language, Log& log) : log_(log) {
    if (language == Language::cpp) {
      here_.emplace(log);
      port_ = here_->port();
      return;
    }
    elsewhere_.emplace(python("server.py"));
    const bool up = eventually([&] { return elsewhere_->out().find('\n') != std::string::npos; }, 20s);
    if (!up) throw std::runtime_error("the Python server does not come up: " + elsewhere_->err());
    const std::string out = elsewhere_->out();
    port_ = static_cast<uint16_t>(json::parse(out.substr(0, out.find('\n')), "server")->find("port")->number);
  }
  uint16_t port() const { return port_; }
  /// What it saw of the call; waits, for it may be told of the end later than the client.
  std::optional<CalleeSaw> saw(const std::string& run, const std::string& call) {
    eventually(
        [&] {
          if (elsewhere_ && !log_.callee(run, call)) log_.read(elsewhere_->out());
          return log_.callee(run, call).has_value();
        },
        10s);
    return log_.callee(run, call);
  }
  std::string complaints() const { return elsewhere_ ? elsewhere_->err() : ""; }

 private:
  Log& log_;
  std::optional<Server> here_;
  std::optional<Child> elsewhere_;
  uint16_t port_ = 0;
};

struct Pair {
  std::string name;
  Language client, server;
};

class InteropTest : public relay::testing::RelayTest, public testing::WithParamInterface<Pair> {
 protected:
  void run_client() {
    if (GetParam().client == Language::cpp) {
      run_cases(direct, server.port(), log);
      run_cases(relayed, through, log);
      return;
    }
    const auto at = [](const char* run, uint16_t port) {
      return std::string(run) + "=127.0.0.1:" + std::to_string(port);
    };
    Child client(python("client.py", {at(direct, server.port()), at(relayed, through)}));
    const auto ended = client.wait(60s);
    log.read(client.out());
    ASSERT_TRUE(ended) << "the Python client hangs";
    EXPECT_EQ(ended->exit_code, 0) << client.err();
  }

  void check_callers(const Expectation& expected) const {
    const auto without = log.caller(direct, expected.call);
    const auto with = log.caller(relayed, expected.call);
    ASSERT_TRUE(without && with) << "the call was not made";
    EXPECT_EQ(*with, *without);
    auto wanted = CallerSaw{.code = expected.code,
                            .message = expected.message.value_or(without->message),
                            .initial = expected.initial,
                            .trailing = expected.trailing,
                            .responses = expected.responses};
    EXPECT_EQ(*without, wanted);
  }

  void check_callees(const Expectation& expected) {
    if (!expected.is_implemented) return;
    if (!expected.surely_arrives) {
      for (const auto* run : {direct, relayed}) {
        const auto saw = log.callee(run, expected.call);
        EXPECT_TRUE(!saw || saw->cancelled) << run;
      }
      return;
    }
    const auto without = server.saw(direct, expected.call);
    const auto with = server.saw(relayed, expected.call);
    ASSERT_TRUE(without && with) << "the server saw no such call";
    EXPECT_EQ(*with, *without);
    EXPECT_EQ(without->method, expected.method);
    EXPECT_EQ(without->requests, expected.requests);
    EXPECT_EQ(without->cancelled, expected.cancelled);
    EXPECT_EQ(without->authority, GetParam().server == Language::cpp ? "interop.test" : "");
    std::map<std::string, std::vector<std::string>> wanted, got;
    for (const auto& field : expected.metadata) wanted[field.name].push_back(field.value);
    for (const auto& field : without->metadata) {
      if (wanted.contains(field.name)) got[field.name].push_back(field.value);
    }
    EXPECT_EQ(got, wanted);
  }

  Log log;
  AnyServer server{GetParam().server, log};
  const uint16_t through = open(server.port());
};

TEST_P(InteropTest, EveryCallIsTheSameThroughAnEdgeWithoutFaults) {
  run_client();
  size_t calls = 0;
  for (const auto& expected : expectations(GetParam().client, GetParam().server)) {
    SCOPED_TRACE(expected.call);
    check_callers(expected);
    check_callees(expected);
    if (expected.surely_arrives) ++calls;
  }
  EXPECT_EQ(server.complaints(), "");
  // And it was the relay that half of them went through.
  const auto ended = recorder.wait_for<faults::CallEnded>(calls);
  EXPECT_GE(recorder.all<faults::CallStarted>().size(), calls);
  EXPECT_EQ(recorder.all<faults::ConnectionAccepted>().size(), 1u);
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty());
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
}

INSTANTIATE_TEST_SUITE_P(Languages, InteropTest,
                         testing::Values(Pair{"CppToCpp", Language::cpp, Language::cpp},
                                         Pair{"CppToPython", Language::cpp, Language::python},
                                         Pair{"PythonToCpp", Language::python, Language::cpp},
                                         Pair{"PythonToPython", Language::python, Language::python}),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace breakwire::interop
