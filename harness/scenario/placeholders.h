// `${…}` in text. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwire::scenario {

/// Answers what stands for the name between the braces, or nullopt when it is unknown.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Replaces every `${name}`; `$${` becomes `${`. Unknown names are kept as they are and added to `unknown`.
std::string expand(std::string_view text, const Lookup& lookup, std::vector<std::string>* unknown = nullptr);

/// The names a text uses, in order, with their byte offsets in it.
struct Use {
  std::string name;
  size_t offset = 0;
};
std::vector<Use> uses(std::string_view text);

/// Where a `${` begins that no `}` ends; it would be taken literally.
std::optional<size_t> unclosed(std::string_view text);

}  // namespace breakwire::scenario
