// The orders process: flags, wiring, exit code.

#include <unistd.h>

#include "services/kit/serve.h"
#include "services/orders/service.h"

namespace kit = breakwire::kit;

int main(int argc, char** argv) {
  auto parsed = kit::parse_options(
      argc, argv,
      {.name = "orders",
       .purpose = "Takes orders and answers for them: shop.v1.OrdersService.",
       .dependencies = {{"inventory", "Where the inventory service is: HOST:PORT or any gRPC target"},
                        {"payments", "Where the payments service is: HOST:PORT or any gRPC target"}},
       .possible_flaws = {kit::Flaw::no_deadline, kit::Flaw::no_propagation, kit::Flaw::no_drain,
                          kit::Flaw::no_retry, kit::Flaw::retry_everything, kit::Flaw::no_backoff,
                          kit::Flaw::retry_storm, kit::Flaw::no_breaker, kit::Flaw::stuck_half_open,
                          kit::Flaw::always_serving, kit::Flaw::fail_one_in_ten, kit::Flaw::no_trace,
                          kit::Flaw::trace_crosstalk, kit::Flaw::log_only_success,
                          kit::Flaw::uncounted_timeouts, kit::Flaw::leaky},
       .breakers = true});
  if (const auto* leave = std::get_if<kit::Leave>(&parsed)) return leave->exit_code;
  const auto& options = std::get<kit::Options>(parsed);

  kit::StopSignal stop(options.flaws);
  kit::CallLog log(options.name, STDOUT_FILENO, options.flaws);
  kit::Health health(options.flaws);
  kit::CallPolicy policy(options.flaws, options.default_deadline);
  auto dial = [&](const std::string& dependency) {
    return policy.dial_guarded(dependency, options.dependencies.at(dependency), log, options.breaker);
  };
  breakwire::orders::Dependencies dependencies{
      .inventory = shop::v1::InventoryService::NewStub(dial("inventory")),
      .payments = shop::v1::PaymentsService::NewStub(dial("payments"))};
  kit::OpenStreams streams;
  breakwire::orders::Orders service(policy, dependencies, streams);
  health.set_able(
      true);  // needs nothing to be able to answer: a dependency that is down is its caller's to hear of
  return kit::serve(options, stop, log, health, {&service}, &streams);
}
