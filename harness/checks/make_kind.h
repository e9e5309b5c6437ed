// What every check is made with: the step from a described struct to a CheckKind. For the .cpp files of this
// folder; pure.
#pragma once

#include <memory>
#include <utility>

#include "harness/checks/check.h"

namespace breakwire::checks {

/// Completes what `T`'s file says in words by what its type says: parameters, schema, and how to make one.
template <class T>
CheckKind make_kind(CheckKind kind) {
  kind.parameters = T::fields().info();
  kind.schema = T::fields().schema();
  kind.make = [](const json::Value& entry, const std::vector<std::string>& also_known,
                 ErrorList& errors) -> std::unique_ptr<Check> {
    T check;
    if (!T::fields().read(entry, check, errors, also_known)) return nullptr;
    return std::make_unique<T>(std::move(check));
  };
  return kind;
}

}  // namespace breakwire::checks
