#include "harness/checks/passed_on.h"

#include <algorithm>
#include <map>
#include <set>

#include "faults/match.h"

namespace breakwire::checks {
namespace {

using history::Attempt;

bool lasts_at(const Attempt& call, Instant t) {
  const auto ended = call.ended_at();
  return call.received <= t && (!ended || t <= *ended);
}

}  // namespace

Offers offers_for(const EdgeId& on, const std::optional<std::string>& method, const Question& question) {
  Offers offers;
  const history::Setup& setup = question.history.setup();
  const history::EdgeSetup* edge = setup.edge(on);
  std::map<std::string, std::vector<const Attempt*>> further;
  for (const auto* attempt : question.calls.attempts(on)) further[attempt->trace_id].push_back(attempt);

  std::set<std::string> needs;
  bool traced = false;
  for (const auto& inbound : setup.edges) {
    if (!edge || inbound.control || inbound.to != edge->from) continue;
    offers.inbound.push_back(inbound.id);
    for (const auto* call : question.calls.attempts(inbound.id)) {
      // What never reached the caller is no call at it.
      if (!call->forwarded || call->trace_id.empty()) continue;
      if (method && !faults::matches_pattern(*method, call->method)) continue;
      const auto family = further.find(call->trace_id);
      const bool passed_on =
          family != further.end() &&
          std::any_of(family->second.begin(), family->second.end(),
                      [&](const Attempt* attempt) { return lasts_at(*call, attempt->received); });
      traced = traced || passed_on;
      if (passed_on || method) needs.insert(call->method);
      offers.calls.push_back({call, passed_on});
    }
  }
  std::erase_if(offers.calls, [&](const Offered& offered) { return !needs.contains(offered.call->method); });
  std::stable_sort(offers.calls.begin(), offers.calls.end(),
                   [](const Offered& a, const Offered& b) { return a.call->received < b.call->received; });
  offers.needs.assign(needs.begin(), needs.end());
  if (offers.inbound.empty()) {
    offers.unclear = "no edge leads to the caller on " + on.text + ", so what it was asked for was not seen";
  } else if (further.empty()) {
    offers.unclear = "no call was ever made on " + on.text;
  } else if (!traced) {
    offers.unclear = "no call on " + on.text + " shares a trace id with a call at its caller";
  }
  return offers;
}

}  // namespace breakwire::checks
