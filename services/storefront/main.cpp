// The storefront process: flags, wiring, exit code.

#include <unistd.h>

#include "services/kit/serve.h"
#include "services/storefront/service.h"

namespace kit = breakwire::kit;

int main(int argc, char** argv) {
  auto parsed = kit::parse_options(
      argc, argv,
      {.name = "storefront",
       .purpose = "The shop's front door: shop.v1.StorefrontService.",
       .dependencies = {{"orders", "Where the orders service is: HOST:PORT or any gRPC target"}},
       .possible_flaws = {kit::Flaw::no_deadline, kit::Flaw::no_propagation, kit::Flaw::no_drain,
                          kit::Flaw::no_retry, kit::Flaw::retry_everything, kit::Flaw::no_backoff,
                          kit::Flaw::retry_storm, kit::Flaw::always_serving, kit::Flaw::fail_one_in_ten,
                          kit::Flaw::no_trace, kit::Flaw::trace_crosstalk, kit::Flaw::log_only_success,
                          kit::Flaw::uncounted_timeouts}});
  if (const auto* leave = std::get_if<kit::Leave>(&parsed)) return leave->exit_code;
  const auto& options = std::get<kit::Options>(parsed);

  kit::StopSignal stop(options.flaws);
  kit::CallLog log(options.name, STDOUT_FILENO, options.flaws);
  kit::Health health(options.flaws);
  kit::CallPolicy policy(options.flaws, options.default_deadline);
  kit::OpenStreams streams;
  breakwire::storefront::Storefront service(policy, policy.dial(options.dependencies.at("orders"), log),
                                            streams);
  health.set_able(
      true);  // needs nothing to be able to answer: a dependency that is down is its caller's to hear of
  return kit::serve(options, stop, log, health, {&service}, &streams);
}
