// Which calls of a load outlived their deadline: for deadline_kept and deadlines_end. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/checks/check.h"

namespace breakwire::checks {

struct Overdue {
  uint64_t late = 0;
  Duration worst{};
  std::string worst_name;

  void add(Duration by, const std::string& name);
  /// "2 too late, worst shoppers-3 by 400 ms".
  std::string text() const;
};

/// Counts into `result.samples`, and shows as evidence, the calls that carry a deadline. A call that has not
/// ended is late once the history goes on past its deadline + `slack`, and before that not judged.
Overdue overdue_calls(const std::vector<const history::Calls::LoadCall*>& calls, Duration slack,
                      const Question& question, CheckResult& result);

}  // namespace breakwire::checks
