// A load that is a command: how it is started, how it ends, and that nothing of it is left.
#include "harness/run/command_load.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "harness/process/temp_directory.h"
#include "harness/run/running_service.h"
#include "tests/harness/run/recorded.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

class CommandLoadTest : public testing::Test {
 protected:
  CommandLoadTest() {
    load.id = {"mine"};
    load.via = {"client->storefront"};
    addresses.edges[load.via] = {"127.0.0.1", 4711};
  }

  void shell(const std::string& script) { load.command = {"sh", "-c", script}; }
  CommandLoadOptions options() {
    return {.load = load,
            .guard = guard,
            .recorder = recorder,
            .addresses = addresses,
            .bin = bin,
            .environment = environment,
            .log_path = log()};
  }
  std::string log() const { return folder.path() + "/mine.log"; }
  std::string printed() const {
    std::ifstream in(log());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  template <class P>
  std::vector<P> all() {
    return all_of<P>(recorder);
  }
  bool prints(const std::string& text) {
    return eventually([&] { return printed().find(text) != std::string::npos; });
  }

  /// Waits for its end: LoadBegan, CommandEnded, LoadEnded, each once and in this order.
  history::CommandEnded end_of(const load::RunningLoad& running) {
    EXPECT_TRUE(eventually([&] { return running.ended(); }));
    std::string order;
    recorder.locked([&](const history::History& history, Timeline&) {
      for (const auto& event : history.events()) {
        if (std::holds_alternative<history::LoadBegan>(event.what)) order += "began ";
        if (std::holds_alternative<history::CommandEnded>(event.what)) order += "command ";
        if (std::holds_alternative<history::LoadEnded>(event.what)) order += "ended ";
      }
    });
    EXPECT_EQ(order, "began command ended ");
    const auto ends = all<history::CommandEnded>();
    return ends.empty() ? history::CommandEnded{} : ends.front();
  }

  process::Guard guard{{.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}};
  process::TempDirectory folder{guard};
  scenario::Scenario scenario;
  Timeline timeline{scenario};
  Recorder recorder{setup_of(scenario), timeline};
  Addresses addresses;
  std::string bin = "/the/bin";
  scenario::Lookup environment = [](std::string_view name) {
    return name == "TOKEN" ? std::optional<std::string>("secret") : std::nullopt;
  };
  scenario::Load load;
};

TEST_F(CommandLoadTest, IsGivenWhereToCallAndItsOutputIsKept) {
  load.command = {"echo",     "${client->storefront}", "${client->storefront.port}",
                  "${bin}/x", "${env.TOKEN}",          "$${y}"};
  const auto running = start_command(options());
  const auto ended = end_of(*running);
  EXPECT_EQ(ended.name, "mine");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.signal, std::nullopt);
  EXPECT_FALSE(ended.timed_out);
  EXPECT_EQ(ended.last_output, std::vector<std::string>{"127.0.0.1:4711 4711 /the/bin/x secret ${y}"});
}

TEST_F(CommandLoadTest, ItsOwnExitCodeIsTold) {
  shell("echo it went wrong >&2; exit 3");
  load.length = 20s;
  const auto running = start_command(options());
  const auto ended = end_of(*running);
  EXPECT_EQ(ended.code, 3);
  EXPECT_FALSE(ended.timed_out);
  EXPECT_EQ(ended.last_output, std::vector<std::string>{"it went wrong"});
}

TEST_F(CommandLoadTest, AfterItsForItIsAskedToEnd) {
  shell("trap 'echo asked; exit 5' TERM; echo up; while :; do sleep 0.01; done");
  load.length = 300ms;
  const Instant began = now();
  const auto running = start_command(options());
  const auto ended = end_of(*running);
  EXPECT_GE(now() - began, 300ms);
  EXPECT_TRUE(ended.timed_out);
  EXPECT_EQ(ended.code, 5);
}

TEST_F(CommandLoadTest, OneThatDoesNotListenIsKilled) {
  shell("trap '' TERM; echo up; while :; do sleep 0.01; done");
  const auto running = start_command(options());
  ASSERT_TRUE(prints("up"));
  running->stop();
  const auto ended = end_of(*running);
  EXPECT_TRUE(ended.timed_out);
  EXPECT_EQ(ended.signal, SIGKILL);
}

TEST_F(CommandLoadTest, WhatItLeftRunningEndsWithIt) {
  shell("sleep 1000 & echo $!");
  const auto running = start_command(options());
  const auto ended = end_of(*running);
  EXPECT_EQ(ended.code, 0);
  ASSERT_EQ(ended.last_output.size(), 1u);
  const int pid = std::stoi(ended.last_output[0]);
  EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }));
}

TEST_F(CommandLoadTest, TheDestructorDoesNotWaitForOneThatDoesNotListen) {
  shell("trap '' TERM; echo up; while :; do sleep 0.01; done");
  auto running = start_command(options());
  ASSERT_TRUE(prints("up"));
  running.reset();
  ASSERT_EQ(all<history::CommandEnded>().size(), 1u);
  EXPECT_EQ(all<history::CommandEnded>()[0].signal, SIGKILL);
  EXPECT_EQ(all<history::LoadEnded>().size(), 1u);
}

TEST_F(CommandLoadTest, WhatCannotBeStartedIsToldWithTheLoadsName) {
  const auto complaint = [&] {
    try {
      start_command(options());
    } catch (const SetupError& error) {
      return error.error().what;
    }
    return std::string("started");
  };
  load.command = {"/no/such/program"};
  EXPECT_TRUE(complaint().starts_with("load `mine` cannot be started: ")) << complaint();
  load.command = {"echo", "${env.ABSENT}"};
  EXPECT_EQ(complaint(), "load `mine` uses `${env.ABSENT}`, which has no value here");
  EXPECT_TRUE(all<history::LoadBegan>().empty());
}

}  // namespace
}  // namespace breakwire::run
