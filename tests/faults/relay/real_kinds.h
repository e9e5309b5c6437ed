// Faults of the real kinds, as a scenario would make them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "faults/kinds/kind.h"

namespace breakwire::relay::testing {

/// `with` is JSON.
inline std::shared_ptr<const faults::WireFault> of_kind(const std::string& kind,
                                                        const std::string& with = "{}") {
  ErrorList errors;
  const auto decision = faults::find_fault_kind(kind)->make(*json::parse(with, "with.json"), errors);
  EXPECT_TRUE(decision) << kind << " " << with;
  return std::get<std::shared_ptr<const faults::WireFault>>(decision.value());
}

}  // namespace breakwire::relay::testing
