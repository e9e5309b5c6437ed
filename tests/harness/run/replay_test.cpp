#include "harness/run/replay.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

namespace breakwire::run {
namespace {

TEST(ShellWordTest, LeavesAloneWhatMeansNothingToAShell) {
  for (const char* plain : {"breakwire", "./build/bin/breakwire", "a.json", "no-fault", "42"})
    EXPECT_EQ(shell_word(plain), plain);
}

TEST(ShellWordTest, QuotesEverythingElse) {
  EXPECT_EQ(shell_word("name[n=2]"), "'name[n=2]'");
  EXPECT_EQ(shell_word("name~twin"), "'name~twin'");
  EXPECT_EQ(shell_word("my files"), "'my files'");
  EXPECT_EQ(shell_word("anna's"), "'anna'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(ShellWordTest, IsReadByAShellAsThatVeryWord) {
  for (const std::string word :
       {"a b", "it's", "''", "$HOME `id` \\ \"x\"", "*[a-z]?~", "new\nline", "-n", "{a,b}", "\xc3\xbc!"}) {
    const std::string command = "printf %s " + shell_word(word);
    FILE* shell = ::popen(command.c_str(), "r");
    ASSERT_NE(shell, nullptr);
    std::array<char, 100> read{};
    const size_t count = std::fread(read.data(), 1, read.size(), shell);
    ::pclose(shell);
    EXPECT_EQ(std::string(read.data(), count), word) << command;
  }
}

TEST(ReplayTest, NamesTheProgramAsItWasCalledAndExactlyThatScenario) {
  scenario::Scenario scenario;
  scenario.file = "anna's files/a.json";
  scenario.name = "good";
  scenario.seed = 99;
  EXPECT_EQ(replay_command("build/bin/breakwire", scenario, " --bin /opt/shop"),
            "build/bin/breakwire run 'anna'\\''s files/a.json' --only good --seed 99 --bin /opt/shop");
}

}  // namespace
}  // namespace breakwire::run
