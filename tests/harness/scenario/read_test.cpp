// What a right file becomes.
#include <gtest/gtest.h>

#include "tests/harness/scenario/files.h"

namespace breakwire::scenario {
namespace {

/// The only scenario of "test.json".
Scenario only(const Files& files, const ReadOptions& options = {}) {
  auto read = read_scenarios("test.json", reader(files), options);
  if (!read) {
    ADD_FAILURE() << render(read.errors());
    return {};
  }
  EXPECT_EQ(read->size(), 1u);
  return std::move(read->front());
}

const Load& only_load(const Scenario& scenario) { return scenario.loads.at(0); }

TEST(ReadTest, AFileBecomesExactlyWhatItSays) {
  const Scenario scenario = only({{"test.json", R"({
    "$schema": "scenario.schema.json", "version": 1, "name": "all-of-it", "description": "d", "tags": ["a", "b"],
    "seed": 7, "timeout": "90s", "secrets": ["${env.TOKEN}"],
    "services": {
      "shop": { "run": ["${bin}/shop", "--listen=${address.grpc}"], "env": { "A": "1" }, "ports": { "http": 8080, "admin": "any" },
                "ready": { "grpc_health": "readiness", "within": "3s" }, "stop": { "signal": "SIGINT", "grace": "2s" },
                "health": { "liveness": "live", "readiness": "ready" }, "metrics": "http://${address.admin}/m",
                "log": { "code": "status" } }
    },
    "edges": { "client->shop:http": { "listen": "127.0.0.1:7000", "correlate": "metadata:x-id" } },
    "load": { "buyers": { "via": "client->shop:http", "method": "s.Shop/Buy", "request": { "n": 1 },
                          "metadata": { "x-id": "${call}" }, "deadline": "800ms", "rate": "50/s", "for": "6s",
                          "calls": 100, "connections": 2, "cancel_after": "1s", "service_config": { "a": 1 },
                          "baseline_status": ["OK", "NOT_FOUND"] } },
    "baseline": { "for": "700ms", "min_samples": 20 },
    "timeline": [ { "id": "gone", "when": { "in_flight": { "on": "shop", "at_least": 5 } }, "on": "shop", "fault": "signal",
                    "with": { "signal": "SIGTERM" }, "must_fire": { "in_flight": 2 } } ],
    "expect": [ { "check": "exit", "id": "ends", "service": "shop", "after": "gone", "within": "3s", "min_samples": 1 } ],
    "waive": { "no_open_streams": "they are meant to be" }
  })"}});
  EXPECT_EQ(scenario.file, "test.json");
  EXPECT_EQ(scenario.id(), "all-of-it");
  EXPECT_EQ(scenario.description, "d");
  EXPECT_EQ(scenario.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(scenario.seed, 7u);
  EXPECT_EQ(scenario.timeout, 90s);
  EXPECT_EQ(scenario.secrets, std::vector<std::string>{"${env.TOKEN}"});
  EXPECT_EQ(scenario.baseline, 700ms);
  EXPECT_EQ(scenario.baseline_min_samples, 20u);
  EXPECT_FALSE(scenario.twin);

  const Service& shop = scenario.services.at(0);
  const auto& run = std::get<RunCommand>(shop.what);
  EXPECT_EQ(run.argv, (std::vector<std::string>{"${bin}/shop", "--listen=${address.grpc}"}));
  EXPECT_EQ(run.env, (std::map<std::string, std::string>{{"A", "1"}}));
  EXPECT_EQ(run.ports,
            (std::map<std::string, std::optional<uint16_t>>{{"admin", {}}, {"grpc", {}}, {"http", 8080}}));
  EXPECT_EQ(run.ready.grpc_health, "ready") << "by the name that the service gives it";
  EXPECT_EQ(run.ready.within, 3s);
  EXPECT_EQ(run.stop.signal, SIGINT);
  EXPECT_EQ(run.stop.grace, 2s);
  EXPECT_EQ(shop.liveness, "live");
  EXPECT_EQ(shop.metrics, "http://${address.admin}/m");
  EXPECT_EQ(shop.log->code, "status");
  EXPECT_EQ(shop.log->method, "method");

  const Edge& edge = scenario.edges.at(0);
  EXPECT_EQ(edge.from.text, "client");
  EXPECT_EQ(edge.to.text, "shop");
  EXPECT_EQ(edge.port, "http");
  EXPECT_EQ(edge.protocol, EdgeProtocol::detect);
  EXPECT_EQ(edge.listen, (std::pair<std::string, uint16_t>{"127.0.0.1", 7000}));
  EXPECT_EQ(edge.correlate, (history::Correlate{history::Correlate::By::metadata, "x-id"}));

  const Load& load = only_load(scenario);
  EXPECT_EQ(load.via.text, "client->shop:http");
  EXPECT_EQ(load.method, "s.Shop/Buy");
  EXPECT_EQ(json::write_line(load.request), R"({"n": 1})");
  EXPECT_EQ(load.metadata.at("x-id"), "${call}");
  EXPECT_EQ(load.deadline, 800ms);
  EXPECT_EQ(load.model, LoadModel::open);
  EXPECT_EQ(load.rate.per_second, 50);
  EXPECT_EQ(load.length, 6s);
  EXPECT_EQ(load.calls, 100u);
  EXPECT_EQ(load.connections, 2u);
  EXPECT_EQ(load.cancel_after, 1s);
  EXPECT_EQ(json::write_line(*load.service_config), R"({"a": 1})");
  EXPECT_EQ(load.baseline_status, (std::set<StatusCode>{StatusCode::ok, StatusCode::not_found}));

  const TimelineEntry& gone = scenario.timeline.at(0);
  EXPECT_EQ(gone.id.text, "gone");
  EXPECT_EQ(gone.on, "shop");
  EXPECT_EQ(gone.kind->name, "signal");
  const auto& when = std::get<WhenInFlight>(std::get<When>(gone.trigger));
  EXPECT_EQ(when.on, "shop");
  EXPECT_EQ(when.at_least, 5u);
  EXPECT_FALSE(gone.length);
  EXPECT_TRUE(gone.instant());
  EXPECT_EQ(gone.must_fire, 1u);
  EXPECT_EQ(gone.must_find_in_flight, 2u);
  EXPECT_EQ(json::place_of(gone.entry.span).line, 16u);

  const Expectation& ends = scenario.expect.at(0);
  EXPECT_EQ(ends.spec.name, "ends");
  EXPECT_EQ(ends.spec.kind, "exit");
  EXPECT_EQ(ends.spec.window, (history::WindowSpec{history::Relation::after, {"gone"}, ""}));
  EXPECT_EQ(scenario.waived,
            (std::map<std::string, std::string>{{"no_open_streams", "they are meant to be"}}));
}

TEST(ReadTest, WhatIsLeftOutHasTheDocumentedDefaults) {
  const Scenario scenario = only(with_shop(R"("timeline": [
    { "id": "a", "at": "500ms", "on": "client->shop", "fault": "stall" } ])"));
  EXPECT_EQ(scenario.name, "test");
  EXPECT_EQ(scenario.seed, 1u);
  EXPECT_EQ(scenario.timeout, 60s);
  EXPECT_EQ(scenario.baseline, 500ms);
  EXPECT_EQ(scenario.baseline_min_samples, 1u);
  EXPECT_EQ(only_load(scenario).model, LoadModel::open);
  EXPECT_EQ(only_load(scenario).rate.per_second, 10);
  EXPECT_EQ(only_load(scenario).baseline_status, std::set<StatusCode>{StatusCode::ok});
  const auto& run = std::get<RunCommand>(scenario.service({"shop"})->what);
  EXPECT_EQ(run.ready.grpc_health, std::nullopt);
  EXPECT_EQ(run.ready.tcp, std::nullopt);
  EXPECT_EQ(run.stop.signal, SIGTERM);
  EXPECT_EQ(run.stop.grace, 5s);
  const TimelineEntry& entry = scenario.timeline.at(0);
  EXPECT_EQ(std::get<Duration>(entry.trigger), 500ms);
  EXPECT_EQ(entry.length, std::nullopt);
  EXPECT_EQ(entry.must_fire, 1u);
  EXPECT_EQ(entry.must_find_in_flight, 0u);
}

TEST(ReadTest, AServiceIsRunOrAPostgresOrExternal) {
  const Scenario scenario = only(with_shop(""));
  EXPECT_TRUE(std::holds_alternative<RunCommand>(scenario.service({"shop"})->what));
  EXPECT_TRUE(std::holds_alternative<PostgresService>(scenario.service({"db"})->what));
  EXPECT_EQ(std::get<External>(scenario.service({"legacy"})->what).port, 50051);
  EXPECT_EQ(scenario.edge({"shop->db"})->port, "postgres");
  EXPECT_EQ(scenario.edge({"shop->db"})->protocol, EdgeProtocol::tcp) << "nobody has to say so";
  EXPECT_EQ(scenario.edge({"shop->legacy"})->protocol, EdgeProtocol::detect);
  EXPECT_EQ(scenario.edge({"nobody->shop"}), nullptr);
}

TEST(ReadTest, AScenarioWithoutFaultsHasNoBaseline) {
  EXPECT_EQ(only(with_shop("")).baseline, std::nullopt);
  EXPECT_EQ(only(with_shop(R"("baseline": "2s")")).baseline, std::nullopt);
}

TEST(ReadTest, AWaivedBaselineLetsFaultsBeThereFromTheStart) {
  const Scenario scenario = only(with_shop(R"("baseline": { "none": "down from the start" },
    "timeline": [ { "id": "a", "at": "0s", "on": "client->shop", "fault": "stall" } ])"));
  EXPECT_EQ(scenario.baseline, std::nullopt);
  EXPECT_EQ(scenario.baseline_waiver, "down from the start");
}

TEST(ReadTest, TheSeedOfTheCommandLineWins) {
  EXPECT_EQ(only(with_shop(R"("seed": 7)"), {.seed = 9}).seed, 9u);
}

TEST(ReadTest, ConcurrencyMakesAClosedModel) {
  const Scenario scenario = only({{"test.json", R"({ "version": 1,
    "services": { "shop": { "run": ["shop"] } }, "edges": { "client->shop": {} },
    "load": { "a": { "via": "client->shop", "method": "s.Shop/Buy", "concurrency": 4, "calls": 10 } } })"}});
  EXPECT_EQ(only_load(scenario).model, LoadModel::closed);
  EXPECT_EQ(only_load(scenario).concurrency, 4u);
}

TEST(ReadTest, ALoadMayBeACommand) {
  const Scenario scenario = only({{"test.json", R"({ "version": 1,
    "services": { "shop": { "run": ["shop"] } }, "edges": { "client->shop": {} },
    "load": { "mine": { "via": "client->shop", "command": ["./client", "${client->shop}"] } } })"}});
  EXPECT_EQ(only_load(scenario).command, (std::vector<std::string>{"./client", "${client->shop}"}));
  EXPECT_EQ(only_load(scenario).length, std::nullopt);
}

TEST(ReadTest, AFaultMayBeACommandWhoseTextsTheRunFillsIn) {
  const Scenario scenario = only(with_shop(R"("timeline": [
    { "id": "lock", "at": "1s", "on": "db", "fault": "command",
      "with": { "run": ["${bin}/lock", "$${plain}"] } } ])"));
  const auto& fault = std::get<std::shared_ptr<const faults::ProcessFault>>(scenario.timeline.at(0).decision);
  Rng rng(1);
  EXPECT_EQ(std::get<faults::RunCommand>(fault->decide(faults::ProcessArmed{}, {}, rng)).argv,
            (std::vector<std::string>{"${bin}/lock", "$${plain}"}));
}

TEST(ReadTest, AFaultMayHaveToBeTheRealThing) {
  const Scenario scenario = only(with_shop(R"("timeline": [
    { "id": "a", "at": "1s", "on": "client->shop", "fault": "blackhole" },
    { "id": "b", "at": "1s", "on": "client->shop", "fault": "blackhole", "must_fire": { "fidelity": "wire" } } ])"));
  EXPECT_FALSE(scenario.timeline.at(0).must_be_real);
  EXPECT_TRUE(scenario.timeline.at(1).must_be_real);
  EXPECT_EQ(scenario.timeline.at(1).must_fire, 1u);
}

TEST(ReadTest, PathsCountFromTheFileThatContainsThem) {
  Files files{
      {"all/test.json", R"({ "version": 1, "include": ["parts/db.json"], "expect": [],
                 "services": { "shop": { "run": ["shop"], "cwd": "work", "log": { "path": "/var/log/shop" },
                                         "descriptors": { "protos": ["../proto/a.proto"], "import_paths": ["../proto"] } } },
                 "edges": { "client->shop": {} },
                 "load": { "a": { "via": "client->shop", "method": "s.Shop/Buy", "calls": 1 } } })"},
      {"all/parts/db.json", R"({ "services": { "db": { "postgres": { "schema": "../../schema.sql" } } } })"},
      {"schema.sql", ""},
      {"proto/a.proto", ""}};
  const auto read = read_scenarios("all/test.json", reader(files));
  ASSERT_TRUE(read.ok()) << render(read.errors());
  const Scenario& scenario = read->front();
  EXPECT_EQ(std::get<PostgresService>(scenario.service({"db"})->what).schema, "schema.sql");
  const Service& shop = *scenario.service({"shop"});
  EXPECT_EQ(std::get<RunCommand>(shop.what).cwd, "all/work");
  EXPECT_EQ(shop.log->path, "/var/log/shop");
  EXPECT_EQ(shop.descriptors.from, Descriptors::From::protos);
  EXPECT_EQ(shop.descriptors.files, std::vector<std::string>{"proto/a.proto"});
  EXPECT_EQ(shop.descriptors.import_paths, std::vector<std::string>{"proto"});
}

TEST(ReadTest, CommentsAreNoError) {
  EXPECT_EQ(
      errors_of({{"test.json", "// what this is\n{ \"version\": 1, /* nothing */ " + small_shop + "}"}}), "");
}

TEST(UniversalChecksTest, AreInEveryScenarioUnlessWaivedByName) {
  const auto names = [](const Scenario& scenario) {
    std::vector<std::string> all;
    for (const auto& expectation : scenario.expect) all.push_back(expectation.spec.name);
    return all;
  };
  EXPECT_EQ(names(only(with_shop(""))), (std::vector<std::string>{"no_unexpected_exit", "no_failed_command",
                                                                  "deadlines_end", "no_open_streams"}));
  EXPECT_EQ(names(only(with_shop(R"("waive": { "deadlines_end": "there are none" })"))),
            (std::vector<std::string>{"no_unexpected_exit", "no_failed_command", "no_open_streams"}));
}

TEST(UniversalChecksTest, AreNotJudgedTwiceWhenTheFileGivesThem) {
  const auto count = [](const std::string& more) {
    const Scenario scenario = only(with_shop(R"("timeline": [
      { "id": "gone", "at": "1s", "on": "shop", "fault": "kill" } ],
      "expect": [ { "check": "no_open_streams")" +
                                             more + " } ]"));
    return std::count_if(scenario.expect.begin(), scenario.expect.end(),
                         [](const auto& e) { return e.spec.kind == "no_open_streams"; });
  };
  EXPECT_EQ(count(""), 1);
  EXPECT_EQ(count(R"(, "after": "gone")"), 2)
      << "a window weakens it, so the whole run is judged all the same";
}

TEST(UniversalChecksTest, NeedNoSamplesForTheyHoldOfEmptyRunsToo) {
  const Scenario scenario = only(with_shop(R"("expect": [ { "check": "running", "service": "shop" } ])"));
  EXPECT_EQ(scenario.expect.at(0).spec.min_samples, 1u);
  EXPECT_EQ(scenario.expect.at(1).spec.min_samples, 0u);
  EXPECT_TRUE(scenario.expect.at(1).entry.is(json::Kind::null));
}

struct LengthCase {
  std::string name, entry;
  std::optional<Duration> length;
  bool instant = false;
};
class LengthTest : public testing::TestWithParam<LengthCase> {};

TEST_P(LengthTest, FollowsFromTheKind) {
  const Scenario scenario =
      only(with_shop(R"("timeline": [ { "id": "a", "at": "1s", )" + GetParam().entry + " } ]"));
  EXPECT_EQ(scenario.timeline.at(0).length, GetParam().length);
  EXPECT_EQ(scenario.timeline.at(0).instant(), GetParam().instant);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LengthTest,
    testing::Values(LengthCase{"ToTheEnd", R"("on": "client->shop", "fault": "stall")", std::nullopt},
                    LengthCase{"ForSomeTime", R"("on": "client->shop", "fault": "stall", "for": "2s")", 2s},
                    LengthCase{"Instantaneous", R"("on": "shop", "fault": "kill")", std::nullopt, true},
                    LengthCase{"Down", R"("on": "db", "fault": "restart", "with": { "down": "3s" })", 3s},
                    LengthCase{"AtOnceWithoutFor", R"("on": "client->shop", "fault": "reset")", std::nullopt,
                               true},
                    LengthCase{"ASpanWithFor", R"("on": "client->shop", "fault": "reset", "for": "2s")", 2s}),
    [](const auto& length) { return length.param.name; });

struct WhenCase {
  std::string name, when;
  std::function<bool(const When&)> is;
};
class WhenTest : public testing::TestWithParam<WhenCase> {};

TEST_P(WhenTest, NamesOneEvent) {
  const Scenario scenario = only(with_shop(R"("timeline": [
    { "id": "slow", "at": "1s", "for": "1s", "on": "client->shop", "fault": "stall" },
    { "id": "gone", "at": "1s", "on": "shop", "fault": "kill" },
    { "id": "a", "on": "shop", "fault": "kill", "when": { )" +
                                           GetParam().when + " } } ]"));
  EXPECT_TRUE(GetParam().is(std::get<When>(scenario.timeline.at(2).trigger)));
}

template <class T, class Test>
WhenCase when_case(std::string name, std::string when, Test test) {
  return {std::move(name), std::move(when), [test](const When& read) {
            const T* event = std::get_if<T>(&read);
            return event && test(*event);
          }};
}

INSTANTIATE_TEST_SUITE_P(
    Events, WhenTest,
    testing::Values(
        when_case<WhenInFlight>(
            "InFlightOnAnEdge",
            R"("in_flight": { "on": "client->shop", "at_least": 3, "method": "s.Shop/*" })",
            [](const auto& w) {
              return w.on == "client->shop" && w.at_least == 3 && w.method == "s.Shop/*";
            }),
        when_case<WhenInFlight>("InFlightAtAService", R"("in_flight": { "on": "shop" })",
                                [](const auto& w) { return w.on == "shop" && w.at_least == 1 && !w.method; }),
        when_case<WhenCall>("Call",
                            R"("call": { "on": "client->shop", "nth": 7, "stage": "response_headers" })",
                            [](const auto& w) {
                              return w.on.text == "client->shop" && w.nth == 7 &&
                                     w.stage == faults::Stage::response_headers;
                            }),
        when_case<WhenAfter>("AfterAnEnd", R"("after": { "fault": "slow" })",
                             [](const auto& w) {
                               return w.fault.text == "slow" && w.mark == "end" && w.delay == 0ns;
                             }),
        when_case<WhenAfter>("AfterAnInstant", R"("after": { "fault": "gone", "delay": "1s" })",
                             [](const auto& w) { return w.mark == "start" && w.delay == 1s; }),
        when_case<WhenAfter>("AfterAHit", R"("after": { "fault": "slow", "mark": "first_hit" })",
                             [](const auto& w) { return w.mark == "first_hit"; }),
        when_case<WhenHealth>("Health", R"("health": { "service": "shop", "is": "NOT_SERVING" })",
                              [](const auto& w) { return w.name == "readiness" && w.is == "NOT_SERVING"; }),
        when_case<WhenHealth>("HealthOfTheServer",
                              R"("health": { "service": "legacy", "probe": "server", "is": "SERVING" })",
                              [](const auto& w) { return w.name == "server" && w.service.text == "legacy"; }),
        when_case<WhenExit>("Exit", R"("exit": { "service": "db" })",
                            [](const auto& w) { return w.service.text == "db"; })),
    [](const auto& when) { return when.param.name; });

struct WindowCase {
  std::string name, window;
  history::WindowSpec spec;
};
class ExpectWindowTest : public testing::TestWithParam<WindowCase> {};

TEST_P(ExpectWindowTest, IsNamedByAFault) {
  const Scenario scenario = only(with_shop(R"("timeline": [
    { "id": "slow", "at": "1s", "for": "1s", "on": "client->shop", "fault": "stall" } ],
    "expect": [ { "check": "running", "service": "shop" )" +
                                           GetParam().window + " } ]"));
  EXPECT_EQ(scenario.expect.at(0).spec.window, GetParam().spec);
}

using history::Relation;
INSTANTIATE_TEST_SUITE_P(
    Windows, ExpectWindowTest,
    testing::Values(
        WindowCase{"Whole", "", {Relation::whole, {}, ""}},
        WindowCase{"During", R"(, "during": "slow")", {Relation::during, {"slow"}, ""}},
        WindowCase{"Before", R"(, "before": "slow")", {Relation::before, {"slow"}, ""}},
        WindowCase{"After", R"(, "after": "slow")", {Relation::after, {"slow"}, ""}},
        WindowCase{"AfterAMark", R"(, "after": "slow.first_hit")", {Relation::after, {"slow"}, "first_hit"}}),
    [](const auto& window) { return window.param.name; });

TEST(SetupTest, SaysWhatJudgingNeeds) {
  const Scenario scenario = only(with_shop(R"("seed": 3, "timeline": [
    { "id": "slow", "at": "1s", "for": "1s", "on": "client->shop", "fault": "grpc_status", "with": { "code": "UNAVAILABLE" } },
    { "id": "gone", "at": "1s", "on": "shop", "fault": "kill", "must_fire": { "in_flight": 2 } },
    { "id": "later", "when": { "health": { "service": "legacy", "is": "SERVING" } }, "on": "shop", "fault": "kill" } ],
    "expect": [ { "check": "health", "service": "shop", "is": "SERVING" } ])"));
  const history::Setup setup = setup_of(scenario);
  EXPECT_EQ(setup.scenario, "test");
  EXPECT_EQ(setup.seed, 3u);
  EXPECT_EQ(setup.baseline, 500ms);
  EXPECT_TRUE(setup.service({"db"})->postgres);
  EXPECT_FALSE(setup.service({"db"})->health);
  EXPECT_TRUE(setup.service({"shop"})->health) << "a check asks for it";
  EXPECT_TRUE(setup.service({"legacy"})->health) << "a `when` asks for it";
  EXPECT_TRUE(setup.service({"legacy"})->external);
  EXPECT_TRUE(setup.edge({"client->shop"})->grpc);
  EXPECT_FALSE(setup.edge({"shop->db"})->grpc);
  EXPECT_EQ(setup.load({"buyers"})->method, "s.Shop/Buy");
  EXPECT_EQ(*setup.fault({"slow"}),
            (history::FaultSetup{.id = {"slow"}, .kind = "grpc_status", .on = "client->shop", .call = true}));
  EXPECT_EQ(*setup.fault({"gone"}), (history::FaultSetup{.id = {"gone"},
                                                         .kind = "kill",
                                                         .on = "shop",
                                                         .process = true,
                                                         .instant = true,
                                                         .must_find_in_flight = 2}));
}

}  // namespace
}  // namespace breakwire::scenario
