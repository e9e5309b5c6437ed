// Loads as a person writes them: what only a run can find wrong with one, and one that is a command.
#include <fstream>

#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

class LoadsTest : public CliTest {
 protected:
  Ended run(const std::string& load) {
    file("a.json", R"({ "version": 1, "name": "good",
      "services": { "storefront": )" +
                       storefront_alone + R"( }, "edges": { "client->storefront": {} },
      "load": { "mine": { "via": "client->storefront", )" +
                       load + R"( } } })");
    return breakwire(run_of({"a.json"}));
  }
  json::Value told() { return scenario(report(), "good"); }
};

TEST_F(LoadsTest, MessagesForAMethodThatTakesOneAreAMistakeInTheFile) {
  const Ended ended =
      run(R"("method": "shop.v1.StorefrontService/ListSpecials", "calls": 1, "messages": [{}, {}])");
  EXPECT_EQ(ended.code, 4) << ended.out << ended.err;
  expect_says(ended.out, "`shop.v1.StorefrontService/ListSpecials` takes one message, not a stream of them");
  expect_says(ended.out, "give `request` instead of `messages`");
}

TEST_F(LoadsTest, ACommandThatFailsIs1AndWhatItPrintedIsInTheReport) {
  std::filesystem::create_directory(folder() / "client");
  environment["TOKEN"] = "from outside";
  const Ended ended = run(R"("command": ["sh", "-c", "echo ${client->storefront} $GIVEN; pwd; exit 3"],
      "cwd": "client", "env": { "GIVEN": "${env.TOKEN}" })");
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  expect_says(ended.out, "mine exited with code 3");
  const auto load = told().find("load")->items.at(0);
  EXPECT_EQ(load.find("method")->kind, json::Kind::null);
  EXPECT_EQ(load.find("command")->items.at(0).text, "sh");
  std::ifstream log(folder() / "report" / load.find("log")->text);
  std::string first, second;
  std::getline(log, first);
  std::getline(log, second);
  EXPECT_TRUE(first.starts_with("127.0.0.1:") && first.ends_with(" from outside")) << first;
  EXPECT_TRUE(second.ends_with("/client")) << second;
}

TEST_F(LoadsTest, ACommandThatCannotBeStartedIs3) {
  const Ended ended = run(R"("command": ["no-such-client-here"])");
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  expect_says(told().find("reason")->text, "load `mine` cannot be started");
  expect_says(told().find("reason")->text, "no-such-client-here");
}

TEST_F(LoadsTest, ACommandWhoseVariableIsNotSetIs3BeforeAnythingIsLoaded) {
  const Ended ended = run(R"("command": ["echo", "${env.NO_SUCH_VARIABLE_HERE}"])");
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  expect_says(told().find("reason")->text, "load `mine` uses `${env.NO_SUCH_VARIABLE_HERE}`");
}

}  // namespace
}  // namespace breakwire::cli
