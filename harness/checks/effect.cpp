#include "harness/checks/effect.h"

namespace breakwire::checks {

Effect effect_of(StatusCode code, bool went_out_once, const std::set<StatusCode>& definite) {
  if (code != StatusCode::ok && definite.contains(code)) return Effect::never;
  switch (code) {
    case StatusCode::ok:
      return Effect::happened;
    case StatusCode::invalid_argument:
    case StatusCode::not_found:
    case StatusCode::permission_denied:
    case StatusCode::failed_precondition:
    case StatusCode::out_of_range:
    case StatusCode::unimplemented:
    case StatusCode::unauthenticated:
      return Effect::never;
    case StatusCode::already_exists:
      return went_out_once ? Effect::never : Effect::uncertain;
    case StatusCode::cancelled:
    case StatusCode::unknown:
    case StatusCode::deadline_exceeded:
    case StatusCode::resource_exhausted:
    case StatusCode::aborted:
    case StatusCode::internal:
    case StatusCode::unavailable:
    case StatusCode::data_loss:
      return Effect::uncertain;
  }
  return Effect::uncertain;
}

}  // namespace breakwire::checks
