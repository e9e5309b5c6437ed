#pragma once
// The database of a service: watched, spoken to through a pool, and what the service's readiness follows.
// Owns both.

#include <mutex>
#include <optional>
#include <string>

#include "services/kit/health.h"
#include "services/kit/options.h"
#include "services/kit/postgres/monitor.h"
#include "services/kit/postgres/pool.h"

namespace breakwire::kit {

/// The flag a service with a database takes, for ServiceDescription::dependencies: {name, help}.
std::pair<const std::string, std::string> database_flag();

/// One sentence saying what is wrong with --database; nothing when it is fine.
std::optional<std::string> problem_with_database(const Options& options);

class Database {
 public:
  /// Begins to watch; `health`, which outlives this, is able when the database answers. Heeds the flaws
  /// health-blocks and waits-for-database.
  Database(const Options& options, Health& health);

  Pool& pool() { return pool_; }

 private:
  std::mutex asking_;  // held by health checks that ask themselves, and needed by calls: health-blocks only
  DatabaseMonitor monitor_;
  Pool pool_;
};

}  // namespace breakwire::kit
