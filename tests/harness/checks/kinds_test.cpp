// What must hold of every kind, present and to come.
#include <set>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

class KindTest : public testing::TestWithParam<size_t> {
 protected:
  const CheckKind& kind() const { return check_kinds().at(GetParam()); }
};

TEST_P(KindTest, IsDocumented) {
  EXPECT_FALSE(kind().name.empty());
  EXPECT_GT(kind().summary.size(), 20u);
  EXPECT_TRUE(kind().summary.ends_with('.')) << kind().summary;
  EXPECT_GT(kind().details.size(), 100u);
  for (const auto& parameter : kind().parameters) {
    EXPECT_TRUE(parameter.doc.size() > 10 && parameter.doc.ends_with('.')) << parameter.name;
  }
}

TEST_P(KindTest, ItsExampleIsValidAndNamesThingsThatExistInIt) {
  const auto entry = json::parse(kind().example, "example");
  ASSERT_TRUE(entry.ok()) << render(entry.errors());
  EXPECT_EQ(entry->find("check")->text, kind().name);
  const CheckSpec spec = spec_of(kind().example);
  for (const auto& reference : spec.check->references()) {
    const json::Value* named = entry->find(reference.key);
    ASSERT_NE(named, nullptr) << reference.key;
    EXPECT_EQ(named->text, reference.name);
  }
  for (const auto& wish : spec.check->wishes()) {
    if (const auto* health = std::get_if<HealthWish>(&wish)) {
      EXPECT_EQ(health->service.text, "orders");
    }
  }
}

TEST_P(KindTest, UniversalOnesNeedNoParameters) {
  if (!kind().universal) return;
  const json::Value nothing = json::object();
  ErrorList errors;
  EXPECT_NE(kind().make(nothing, {}, errors), nullptr) << render(errors);
}

TEST_P(KindTest, KnowsOnlyItsKeys) {
  ErrorList errors;
  const auto entry = json::parse(R"({"nosuch": 1})", "entry");
  EXPECT_EQ(kind().make(*entry, {}, errors), nullptr);
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors[0].what, "unknown key `nosuch`");
}

TEST_P(KindTest, NeverPassesOverAHistoryInWhichNothingHappened) {
  HistoryBuilder builder;
  builder.fault({.id = {"f"}, .on = "orders->inventory"});
  builder.phase(Phase::baseline).add(history::LoadBegan{{"shoppers"}});
  builder.at(1s)
      .arm("f")
      .hit("f")
      .at(2s)
      .clear("f")
      .add(history::LoadEnded{{"shoppers"}})
      .at(9s)
      .phase(Phase::settling);
  CheckSpec spec = spec_of(kind().example);
  if (spec.window.relation != Relation::whole) spec.window.fault = {"f"};
  const auto result = judge(spec, builder, history::Calls(builder.history())).result;
  EXPECT_TRUE(result.verdict == Verdict::inconclusive || result.verdict == Verdict::skipped)
      << to_text(result.verdict) << ": " << result.actual;
  EXPECT_FALSE(result.reason.empty());
  EXPECT_EQ(result.verdict == Verdict::skipped, kind().universal) << result.reason;
}

INSTANTIATE_TEST_SUITE_P(All, KindTest, testing::Range<size_t>(0, check_kinds().size()),
                         [](const auto& each) { return check_kinds().at(each.param).name; });

TEST(KindsTest, AreFoundByName) {
  std::set<std::string> names;
  for (const auto& name : check_kind_names()) {
    EXPECT_TRUE(names.insert(name).second) << name << " twice";
    EXPECT_EQ(find_check_kind(name)->name, name);
  }
  EXPECT_EQ(find_check_kind("nosuch"), nullptr);
  for (const char* universal :
       {"no_unexpected_exit", "no_failed_command", "deadlines_end", "no_open_streams"})
    EXPECT_TRUE(find_check_kind(universal)->universal);
}

struct BadEntry {
  std::string name, entry, error;
};
class BadEntryTest : public testing::TestWithParam<BadEntry> {};

TEST_P(BadEntryTest, IsAnErrorOfTheFile) {
  EXPECT_NE(errors_of(GetParam().entry).find(GetParam().error), std::string::npos)
      << errors_of(GetParam().entry);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadEntryTest,
    testing::Values(
        BadEntry{"OutcomesOfNothing", R"({"check": "outcomes"})", "says nothing about the calls"},
        BadEntry{"OutcomesOfNoCode", R"({"check": "outcomes", "only": ["UNAVAILIBLE"]})",
                 "did you mean `UNAVAILABLE`?"},
        BadEntry{"LatencyWithoutBound", R"({"check": "latency"})", "sets no bound"},
        BadEntry{"BareNumber", R"({"check": "latency", "p99": 100})", "a bare number is not a duration"},
        BadEntry{"LoadAndEdge", R"({"check": "deadline_kept", "load": "a", "on": "b"})", "not both"},
        BadEntry{"SameEdge", R"({"check": "deadline_propagated", "from": "a", "to": "a"})", "the same edge"},
        BadEntry{"MissingEdge", R"({"check": "attempts", "per_call": 1})", "`on` is missing"},
        BadEntry{"AttemptsOfNothing", R"({"check": "attempts", "on": "a"})", "says nothing"},
        BadEntry{"BreakerOfNothing", R"({"check": "breaker", "on": "a"})", "says nothing about the circuit"},
        BadEntry{"OpeningWithoutPeriod", R"({"check": "breaker", "on": "a", "opens_within": "1s"})",
                 "go together"},
        BadEntry{"NoOpenPeriod",
                 R"({"check": "breaker", "on": "a", "opens_within": "1s", "open_period": "0s"})",
                 "longer than 20ms"},
        BadEntry{"OpenPeriodTooShortToJudge",
                 R"({"check": "breaker", "on": "a", "opens_within": "1s", "open_period": "20ms"})",
                 "longer than 20ms"},
        BadEntry{"NoProbe", R"({"check": "breaker", "on": "a", "closes_within": "1s", "max_probes": 0})",
                 "never closes"},
        BadEntry{"RangeAndExactly",
                 R"({"check": "attempts", "on": "a", "per_call": {"min": 1, "exactly": 2}})",
                 "takes `min` and `max`, or `exactly`"},
        BadEntry{"HealthOfNothing", R"({"check": "health", "service": "a"})", "says nothing"},
        BadEntry{"WithinAlone",
                 R"({"check": "health", "service": "a", "throughout": "SERVING", "within": "1s"})",
                 "`within` needs `is`"},
        BadEntry{"NoSuchStatus", R"({"check": "health", "service": "a", "is": "NOTSERVING"})", "NOT_SERVING"},
        BadEntry{"CodeAndSignal", R"({"check": "exit", "service": "a", "code": 0, "signal": "SIGTERM"})",
                 "a `code` or by a `signal`"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace breakwire::checks
