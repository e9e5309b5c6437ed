// A value, or everything that is wrong with what the user gave. Pure.
#pragma once

#include <cassert>
#include <utility>
#include <variant>

#include "base/error.h"

namespace breakwire {

/// Either a `T` or at least one Error. For the user's files and flags only: trouble with the environment is
/// an exception, trouble of the system under test is an Event.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(ErrorList errors) : state_(std::move(errors)) { assert(!std::get<ErrorList>(state_).empty()); }
  Result(Error error) : state_(ErrorList{std::move(error)}) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }
  const T& value() const& { return std::get<T>(state_); }
  T& value() & { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  const ErrorList& errors() const { return std::get<ErrorList>(state_); }

 private:
  std::variant<T, ErrorList> state_;
};

}  // namespace breakwire
