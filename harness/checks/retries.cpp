#include "harness/checks/retries.h"

#include <algorithm>

#include "harness/checks/wording.h"

namespace breakwire::checks {

bool was_refused(const history::Attempt& attempt) {
  return attempt.end && (attempt.end->how == faults::Ending::refused_by_goaway ||
                         attempt.end->how == faults::Ending::refused_while_held ||
                         attempt.end->reset == Http2Error::refused_stream);
}

std::optional<std::string> unclear_join(const history::Joined& joined,
                                        const std::function<bool(const history::Attempt&)>& concerns) {
  const auto unclear = std::count_if(joined.ambiguous_attempts.begin(), joined.ambiguous_attempts.end(),
                                     [&](const history::Attempt* attempt) { return concerns(*attempt); });
  if (unclear == 0) return std::nullopt;
  return counted(static_cast<uint64_t>(unclear), "attempt") + " cannot be told to belong to one call; " +
         joined.why_ambiguous;
}

}  // namespace breakwire::checks
