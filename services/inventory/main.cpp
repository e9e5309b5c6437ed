// The inventory process: flags, wiring, exit code.

#include <unistd.h>

#include "services/inventory/service.h"
#include "services/kit/postgres/database.h"
#include "services/kit/serve.h"

namespace kit = breakwire::kit;

int main(int argc, char** argv) {
  auto parsed = kit::parse_options(
      argc, argv,
      {.name = "inventory",
       .purpose = "Keeps stock and orders in PostgreSQL: shop.v1.InventoryService.",
       .dependencies = {kit::database_flag()},
       .possible_flaws = {kit::Flaw::no_drain, kit::Flaw::always_serving, kit::Flaw::liveness_needs_database,
                          kit::Flaw::fail_one_in_ten, kit::Flaw::log_only_success,
                          kit::Flaw::uncounted_timeouts, kit::Flaw::health_blocks,
                          kit::Flaw::waits_for_database, kit::Flaw::not_idempotent}});
  if (const auto* leave = std::get_if<kit::Leave>(&parsed)) return leave->exit_code;
  const auto& options = std::get<kit::Options>(parsed);
  if (auto problem = kit::problem_with_database(options)) return kit::cannot_start(options.name, *problem);

  kit::StopSignal stop(options.flaws);
  kit::CallLog log(options.name, STDOUT_FILENO, options.flaws);
  kit::Health health(options.flaws);
  kit::CallPolicy policy(options.flaws, options.default_deadline);
  kit::Database database(options, health);
  breakwire::inventory::Inventory service(policy, database.pool(), options.flaws);
  return kit::serve(options, stop, log, health, {&service});
}
