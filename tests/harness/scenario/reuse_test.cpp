// include, vars, matrix and twins.
#include <gtest/gtest.h>

#include "tests/harness/scenario/files.h"

namespace breakwire::scenario {
namespace {

std::vector<Scenario> all(const Files& files) {
  auto read = read_scenarios("test.json", reader(files));
  EXPECT_TRUE(read.ok()) << (read ? "" : render(read.errors()));
  return read ? std::move(read).value() : std::vector<Scenario>(1);
}

std::vector<std::string> ids(const Files& files) {
  std::vector<std::string> names;
  for (const Scenario& scenario : all(files)) names.push_back(scenario.id());
  return names;
}

std::vector<std::string> fault_ids(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const auto& entry : scenario.timeline) names.push_back(entry.id.text);
  return names;
}

TEST(IncludeTest, LaterKeysOverrideByKey) {
  const Scenario scenario =
      all({{"test.json", R"({ "version": 1, "include": ["a.json", "b.json"], "timeout": "30s",
                                    "services": { "x": { "run": ["mine"] } } })"},
           {"a.json",
            R"({ "timeout": "10s", "seed": 5, "services": { "x": { "run": ["a"] }, "y": { "run": ["a"] } },
                                    "expect": [ { "check": "running", "service": "x" } ] })"},
           {"b.json", R"({ "services": { "y": { "run": ["b"] }, "z": { "run": ["b"] } } })"}})
          .at(0);
  const auto program = [&](const char* id) {
    return std::get<RunCommand>(scenario.service({id})->what).argv.at(0);
  };
  EXPECT_EQ(program("x"), "mine");
  EXPECT_EQ(program("y"), "b");
  EXPECT_EQ(program("z"), "b");
  EXPECT_EQ(scenario.timeout, 30s);
  EXPECT_EQ(scenario.seed, 5u);
}

TEST(IncludeTest, TimelineAndExpectAreOverriddenByIdInPlace) {
  const Scenario scenario =
      all({{"test.json", R"({ "version": 1, "include": ["base.json"],
              "timeline": [ { "id": "three", "at": "3s", "on": "x", "fault": "kill" },
                            { "id": "one", "at": "5s", "on": "x", "fault": "kill" } ],
              "expect": [ { "check": "exit", "id": "e", "service": "x", "after": "one", "within": "1s" } ] })"},
           {"base.json", R"({ "services": { "x": { "run": ["x"] } }, "baseline": { "none": "no load" },
              "timeline": [ { "id": "one", "at": "1s", "on": "x", "fault": "kill" },
                            { "id": "two", "at": "2s", "on": "x", "fault": "kill" } ],
              "expect": [ { "check": "running", "service": "x" }, { "check": "running", "id": "e", "service": "x" } ] })"}})
          .at(0);
  EXPECT_EQ(fault_ids(scenario), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(std::get<Duration>(scenario.timeline.at(0).trigger), 5s);
  EXPECT_EQ(scenario.expect.at(0).spec.name, "running");
  EXPECT_EQ(scenario.expect.at(1).spec.name, "e");
  EXPECT_EQ(scenario.expect.at(1).spec.kind, "exit");
}

TEST(IncludeTest, TagsAndSecretsAreJoined) {
  const Scenario scenario =
      all({{"test.json", R"({ "version": 1, "include": ["a.json"], "tags": ["mine"], "secrets": ["b"],)" +
                             small_shop + "}"},
           {"a.json", R"({ "tags": ["theirs"], "secrets": ["a"] })"}})
          .at(0);
  EXPECT_EQ(scenario.tags, (std::vector<std::string>{"theirs", "mine"}));
  EXPECT_EQ(scenario.secrets, (std::vector<std::string>{"a", "b"}));
}

TEST(IncludeTest, NamesAndDescriptionsAreNotTakenOver) {
  const Scenario scenario =
      all({{"test.json", R"({ "version": 1, "include": ["a.json"],)" + small_shop + "}"},
           {"a.json", R"({ "version": 1, "name": "a", "description": "of a" })"}})
          .at(0);
  EXPECT_EQ(scenario.name, "test");
  EXPECT_EQ(scenario.description, "");
}

TEST(IncludeTest, AFileReachedTwiceCountsOnce) {
  const Scenario scenario =
      all({{"test.json", R"({ "version": 1, "include": ["a/a.json", "b.json"] })"},
           {"a/a.json", R"({ "include": ["../common.json"] })"},
           {"b.json", R"({ "include": ["./common.json"] })"},
           {"common.json",
            "{" + small_shop + R"(, "expect": [ { "check": "running", "service": "shop" } ] })"}})
          .at(0);
  EXPECT_EQ(scenario.expect.size(), 1u + 4u);
}

TEST(VariablesTest, AWholeTextTakesTheVariablesKind) {
  const Scenario scenario =
      all({{"test.json", R"({ "version": 1, "vars": { "n": 3, "codes": ["OK", "ABORTED"], "rate": "5/s" },
      "services": { "shop": { "run": ["shop"] } }, "edges": { "client->shop": {} },
      "load": { "a": { "via": "client->shop", "method": "s.Shop/Buy", "calls": "${vars.n}", "rate": "${vars.rate}",
                       "baseline_status": "${vars.codes}", "request": { "n": "${vars.n}", "text": "n=${vars.n}, $${vars.n}" } } } })"}})
          .at(0);
  const Load& load = scenario.loads.at(0);
  EXPECT_EQ(load.calls, 3u);
  EXPECT_EQ(load.rate.per_second, 5);
  EXPECT_EQ(load.baseline_status, (std::set<StatusCode>{StatusCode::ok, StatusCode::aborted}));
  EXPECT_EQ(json::write_line(load.request), R"({"n": 3, "text": "n=3, $${vars.n}"})")
      << "`$${` waits for the run";
}

TEST(VariablesTest, WhatTheyBringInMayBeFilledInLater) {
  const Scenario scenario =
      all({{"test.json",
            R"({ "version": 1, "vars": { "log": "--log=${env.HOME}" }, "expect": [ { "check": "running", "service": "x" } ],
      "services": { "x": { "run": ["x", "${vars.log}", "-v ${vars.log}"] } } })"}})
          .at(0);
  EXPECT_EQ(std::get<RunCommand>(scenario.service({"x"})->what).argv,
            (std::vector<std::string>{"x", "--log=${env.HOME}", "-v --log=${env.HOME}"}));
}

TEST(VariablesTest, EscapesInTextsThatNothingFillsInAreResolved) {
  EXPECT_EQ(all(with_shop(R"("description": "write $${bin}, for $5 and $$")")).at(0).description,
            "write ${bin}, for $5 and $$");
}

const char* const matrix = R"("matrix": { "delay": ["100ms", "1s"], "n": [1, 2] }, "vars": { "flaw": "" },
  "timeline": [ { "id": "slow", "at": "1s", "on": "client->shop", "fault": "latency", "with": { "delay": "${vars.delay}" } } ],
  "expect": [ { "check": "running", "service": "shop", "min_samples": "${vars.n}" } ],
  "description": "${vars.delay} ${vars.n} ${vars.flaw}")";

TEST(MatrixTest, RunsEveryCombination) {
  EXPECT_EQ(ids(with_shop(matrix)),
            (std::vector<std::string>{"test[delay=100ms,n=1]", "test[delay=100ms,n=2]", "test[delay=1s,n=1]",
                                      "test[delay=1s,n=2]"}));
  const auto scenarios = all(with_shop(matrix));
  EXPECT_EQ(scenarios.at(1).description, "100ms 2 ");
  EXPECT_EQ(scenarios.at(2).expect.at(0).spec.min_samples, 1u);
  EXPECT_EQ(scenarios.at(3).expect.at(0).spec.min_samples, 2u);
}

TEST(TwinsTest, ComeAfterTheScenarioWithTheirVariables) {
  const auto scenarios = all(with_shop(R"("vars": { "flaw": "none" }, "description": "${vars.flaw}",
    "expect": [ { "check": "running", "id": "stays", "service": "shop" } ],
    "twins": { "dies": { "vars": { "flaw": "dies" }, "fails": ["stays", "no_unexpected_exit"], "description": "it dies" } })"));
  ASSERT_EQ(scenarios.size(), 2u);
  EXPECT_EQ(scenarios.at(0).id(), "test");
  EXPECT_FALSE(scenarios.at(0).twin);
  EXPECT_EQ(scenarios.at(0).description, "none");
  EXPECT_EQ(scenarios.at(1).id(), "test~dies");
  EXPECT_EQ(scenarios.at(1).twin->name, "dies");
  EXPECT_EQ(scenarios.at(1).twin->fails, (std::set<std::string>{"no_unexpected_exit", "stays"}));
  EXPECT_EQ(scenarios.at(1).description, "dies");
}

TEST(TwinsTest, OfAMatrixTakeTheFirstCombinationUnlessTheyChoose) {
  const std::string twins = R"(, "twins": { "first": { "vars": { "flaw": "x" }, "fails": ["running"] },
                                            "other": { "vars": { "flaw": "x", "delay": "5s" }, "fails": ["running"] } })";
  const auto scenarios = all(with_shop(matrix + twins));
  ASSERT_EQ(scenarios.size(), 6u);
  EXPECT_EQ(scenarios.at(4).description, "100ms 1 x");
  EXPECT_EQ(scenarios.at(5).description, "5s 1 x");
  EXPECT_EQ(scenarios.at(4).twin->name, "first");
}

TEST(TwinsTest, AMistakeInOneTwinsValueIsToldWithItsPlace) {
  const std::string errors = errors_of(with_shop(R"("vars": { "wait": "1s" },
    "timeline": [ { "id": "a", "at": "${vars.wait}", "on": "client->shop", "fault": "stall" } ],
    "expect": [ { "check": "running", "service": "shop" } ],
    "twins": { "soon": { "vars": { "wait": "soon" }, "fails": ["running"] } })"));
  EXPECT_NE(errors.find("`soon` is not a duration"), std::string::npos) << errors;
  EXPECT_NE(errors.find("see also test.json:12:"), std::string::npos) << errors;
  EXPECT_EQ(errors.find("error:", 1), std::string::npos) << "once, and not of the scenario itself\n"
                                                         << errors;
}

}  // namespace
}  // namespace breakwire::scenario
