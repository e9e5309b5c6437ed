// `${uuid}` and `${call}` in requests and metadata. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "harness/load/load.h"

namespace breakwire::load {

/// `${uuid}` and `${call}` replaced by the call's own, `$${` by `${`; any other text stays as it is.
std::string expand(std::string_view text, const CallIds& ids);

/// The same in every string of a request, at any depth; keys and spans stay.
json::Value expand_all(const json::Value& request, const CallIds& ids);

/// Whether `expand_all` would change anything: a request that does not vary is encoded once.
bool varies(const json::Value& request);

}  // namespace breakwire::load
