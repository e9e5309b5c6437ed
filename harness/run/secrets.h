// Texts that must not reach a report, a history or the terminal. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/run/result.h"
#include "harness/scenario/placeholders.h"

namespace breakwire::run {

class Secrets {
 public:
  Secrets() = default;
  /// `texts` as a scenario names them: literal, or with `${env.X}`, which `environment` answers. One whose
  /// variable is not set hides nothing.
  Secrets(const std::vector<std::string>& texts, const scenario::Lookup& environment);

  /// Every secret in it has become "***".
  std::string hidden(std::string text) const;
  /// The same in text that is JSON, where a secret may stand escaped.
  std::string hidden_in_json(std::string text) const;
  /// The same in every text of a result that can quote a service, a peer or the scenario.
  void hide_in(ScenarioResult& result) const;

 private:
  std::vector<std::string> plain_, escaped_;  // longest first: one may be part of another
};

}  // namespace breakwire::run
