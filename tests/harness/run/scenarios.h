// Scenarios written by hand, for tests of harness/run: a small shop, its load, faults of the registry, and
// checks that answer what the test says.
#pragma once

#include <stdexcept>

#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// Answers what it was made with, whatever the history shows.
class FixedCheck final : public checks::Check {
 public:
  FixedCheck(checks::CheckResult result, Duration needs, bool settles)
      : result_(std::move(result)), needs_(needs), settles_(settles) {}
  checks::CheckResult evaluate(const checks::Question&) const override { return result_; }
  Duration needs() const override { return needs_; }
  bool settles() const override { return settles_; }

 private:
  checks::CheckResult result_;
  Duration needs_;
  bool settles_;
};

inline checks::CheckResult passing() {
  return {.verdict = checks::Verdict::passed,
          .expected = "all is well",
          .actual = "all is well",
          .samples = 3,
          .evidence = {},
          .reason = {}};
}
inline checks::CheckResult failing() {
  return {.verdict = checks::Verdict::failed,
          .expected = "every call ends with OK",
          .actual = "2 UNAVAILABLE",
          .samples = 3,
          .evidence = {{4}, {5}},
          .reason = {}};
}
inline checks::CheckResult undecided() {
  return {.verdict = checks::Verdict::inconclusive,
          .expected = {},
          .actual = {},
          .samples = 0,
          .evidence = {},
          .reason = "nothing to judge"};
}

inline scenario::Expectation expectation(const std::string& name, checks::CheckResult result,
                                         Duration needs = {}, bool settles = false) {
  scenario::Expectation made;
  made.spec.name = name;
  made.spec.kind = name;
  made.spec.check = std::make_shared<FixedCheck>(std::move(result), needs, settles);
  return made;
}

/// A timeline entry of a kind of the registry. `decision` stays empty: nobody here lets it act.
inline scenario::TimelineEntry entry(const char* id, const char* kind, const char* on,
                                     std::variant<Duration, scenario::When> trigger,
                                     std::optional<Duration> length = {}) {
  scenario::TimelineEntry made;
  made.id = {id};
  made.kind = faults::find_fault_kind(kind);
  if (!made.kind) throw std::logic_error(std::string("no fault kind ") + kind);
  made.on = on;
  made.trigger = std::move(trigger);
  made.length = length;
  return made;
}

inline constexpr const char* to_orders = "storefront->orders";

/// client -> storefront -> orders -> inventory, one load `shoppers`, a baseline of 100 ms, no checks.
inline scenario::Scenario shop() {
  scenario::Scenario made;
  made.file = "shop.json";
  made.name = "shop";
  made.seed = 7;
  made.baseline = 100ms;
  for (const char* id : {"storefront", "orders", "inventory"}) {
    scenario::Service service;
    service.id = {id};
    service.what = scenario::RunCommand{};
    made.services.push_back(service);
  }
  for (const auto& [from, to] : {std::pair{"client", "storefront"}, std::pair{"storefront", "orders"},
                                 std::pair{"orders", "inventory"}}) {
    scenario::Edge edge;
    edge.id = {std::string(from) + "->" + to};
    edge.from = {from};
    edge.to = {to};
    made.edges.push_back(edge);
  }
  scenario::Load load;
  load.id = {"shoppers"};
  load.via = {"client->storefront"};
  load.method = "shop.v1.StorefrontService/PlaceOrder";
  load.deadline = 800ms;
  made.loads.push_back(load);
  return made;
}

/// The shop with its edge to orders slow from 200 ms to 400 ms, and one check that passes.
inline scenario::Scenario slow_shop() {
  scenario::Scenario scenario = shop();
  scenario.timeline = {entry("slow", "latency", to_orders, Duration(200ms), 200ms)};
  scenario.expect = {expectation("outcomes", passing())};
  return scenario;
}

}  // namespace breakwire::run
