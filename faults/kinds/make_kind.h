// What every kind is made with: a base class for its sort of fault, and the step from a described struct to a
// FaultKind. For the .cpp files of this folder; pure.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "faults/kinds/kind.h"

namespace breakwire::faults {

/// Asked about connections and their bytes.
class TransportFault : public WireFault {
 public:
  Scope scope() const override { return Scope::connections; }
};

/// Asked about calls, also those that were under way when it was armed.
class CallFault : public WireFault {
 public:
  Scope scope() const override { return Scope::calls; }
};

namespace kinds {
/// The keys by which a call fault with these stages may match.
std::vector<std::string> call_match_keys(const std::vector<Stage>& stages);
}  // namespace kinds

/// Completes what `T`'s file says in words by what its type says: class, parameters, schema, and how to make
/// one.
template <class T>
FaultKind make_kind(FaultKind kind) {
  using Base = std::conditional_t<std::is_base_of_v<ProcessFault, T>, ProcessFault, WireFault>;
  kind.fault_class = std::is_base_of_v<TransportFault, T> ? FaultClass::transport
                     : std::is_base_of_v<CallFault, T>    ? FaultClass::call
                                                          : FaultClass::process;
  if (kind.fault_class == FaultClass::call) kind.matches_by = kinds::call_match_keys(kind.stages);
  kind.parameters = T::fields().info();
  kind.schema = T::fields().schema();
  kind.make = [](const json::Value& with, ErrorList& errors) -> std::optional<Decision> {
    T fault;
    if (!T::fields().read(with, fault, errors)) return std::nullopt;
    return Decision(std::shared_ptr<const Base>(std::make_shared<const T>(std::move(fault))));
  };
  if constexpr (requires(const T fault, const EntryParts& entry, ErrorList& all) {
                  fault.check(entry, all);
                }) {
    kind.check = [](const EntryParts& entry, ErrorList& errors) {
      T fault;
      ErrorList ignored;
      if (T::fields().read(entry.with, fault, ignored)) fault.check(entry, errors);
    };
  }
  if constexpr (requires(T fault) { fault.down; }) {
    kind.down = [](const json::Value& with) {
      T fault;
      ErrorList ignored;
      return T::fields().read(with, fault, ignored) ? fault.down : Duration{};
    };
  }
  return kind;
}

}  // namespace breakwire::faults
