// The inventory process: flags, wiring, exit code.

#include <unistd.h>

#include "services/inventory/service.h"
#include "services/kit/postgres/monitor.h"
#include "services/kit/serve.h"

namespace kit = breakwire::kit;

int main(int argc, char** argv) {
  auto parsed = kit::parse_options(
      argc, argv,
      {.name = "inventory",
       .purpose = "Keeps stock and orders in PostgreSQL: shop.v1.InventoryService.",
       .dependencies = {{"database", "Where PostgreSQL is: HOST:PORT or postgresql://USER@HOST:PORT/NAME"}},
       .possible_flaws = {kit::Flaw::no_drain, kit::Flaw::always_serving, kit::Flaw::liveness_needs_database,
                          kit::Flaw::fail_one_in_ten}});
  if (const auto* leave = std::get_if<kit::Leave>(&parsed)) return leave->exit_code;
  const auto& options = std::get<kit::Options>(parsed);
  const std::string& database = options.dependencies.at("database");
  if (auto problem = kit::problem_with_database_address(database))
    return kit::cannot_start(options.name, "--database: " + *problem);

  kit::StopSignal stop(options.flaws);
  kit::CallLog log(options.name, STDOUT_FILENO);
  kit::Health health(options.flaws);
  kit::CallPolicy policy(options.flaws, options.default_deadline);
  kit::DatabaseMonitor monitor({.text = database, .application = "inventory-monitor"},
                               [&health](bool up) { health.set_able(up); });
  kit::Pool pool({.text = database, .application = "inventory"}, [&monitor] { return monitor.up(); });
  breakwire::inventory::Inventory service(policy, pool);
  return kit::serve(options, stop, log, health, {&service});
}
