// What `breakwire explain`, `list` and docs/ say of fault and check kinds, all from their descriptions. Pure.
#pragma once

#include <string>

#include "faults/kinds/kind.h"
#include "harness/checks/check.h"

namespace breakwire::reports {

/// For the terminal: summary, details, parameters with types and defaults, an example.
std::string explain(const faults::FaultKind& kind);
std::string explain(const checks::CheckKind& kind);

/// One line a kind: name and summary.
std::string list_of_faults();
std::string list_of_checks();

/// docs/faults.md and docs/checks.md, whole.
std::string faults_markdown();
std::string checks_markdown();

}  // namespace breakwire::reports
