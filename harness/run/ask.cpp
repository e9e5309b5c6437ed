#include "harness/run/ask.h"

#include <algorithm>
#include <charconv>

#include "harness/process/database_connection.h"

namespace breakwire::run {
namespace {

constexpr Duration longest_read = 5s;

Instant now() { return std::chrono::steady_clock::now(); }

/// Throws DatabaseError for rows that are not (key, count).
history::LedgerRead::Row row_of(const process::Row& row) {
  if (row.size() != 2)
    throw process::DatabaseError("the query answers " + std::to_string(row.size()) +
                                 " columns instead of a key and a count");
  if (!row[0]) throw process::DatabaseError("the query answers a key that is NULL");
  const std::string count = row[1].value_or("NULL");
  history::LedgerRead::Row read{.key = *row[0]};
  const char* end = count.data() + count.size();
  if (const auto parsed = std::from_chars(count.data(), end, read.count);
      parsed.ec != std::errc{} || parsed.ptr != end)
    throw process::DatabaseError("the query answers `" + count + "` as the count of key `" + read.key + "`");
  return read;
}

history::LedgerRead read_ledger(const std::string& check, const std::string& query,
                                const DatabaseService& database, Instant deadline,
                                const std::stop_token& stop) {
  history::LedgerRead read{.check = check};
  try {
    // Looking must not change what is looked at.
    process::DatabaseConnection connection(
        database.conninfo() + " options='-c default_transaction_read_only=on'", deadline, stop);
    for (const auto& row : connection.query(query, deadline, stop)) read.rows.push_back(row_of(row));
  } catch (const process::DatabaseError& error) {
    read.rows.clear();
    read.error = error.what();
  }
  return read;
}

}  // namespace

void ask_afterwards(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder,
                    Instant deadline, const std::stop_token& stop) {
  for (const auto& expectation : scenario.expect) {
    for (const auto& wish : expectation.spec.check->wishes()) {
      const auto* ledger = std::get_if<checks::LedgerWish>(&wish);
      if (!ledger || stop.stop_requested()) continue;
      // Its time is that of the question: what is acknowledged from here on it need not know.
      const Instant asked = now();
      const auto& database = dynamic_cast<DatabaseService&>(*topology.services().at(ledger->database));
      recorder.record(asked, read_ledger(expectation.spec.name, ledger->query, database,
                                         std::min(deadline, asked + longest_read), stop));
    }
  }
}

}  // namespace breakwire::run
