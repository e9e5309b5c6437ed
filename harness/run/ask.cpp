#include "harness/run/ask.h"

#include <algorithm>
#include <charconv>

#include "harness/process/child_process.h"
#include "harness/process/database_connection.h"

namespace breakwire::run {
namespace {

constexpr Duration longest_read = 5s;
constexpr size_t lines_kept = 8;  // of what a command printed last

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

/// nullopt: the run was interrupted meanwhile.
std::optional<history::CommandEnded> run_command(const std::string& check, const checks::CommandWish& wish,
                                                 const Topology& topology, Instant deadline,
                                                 const std::stop_token& stop) {
  history::CommandEnded ended;
  ended.name = check;
  const auto& options = topology.options();
  const auto lookup = lookup_for({}, topology.addresses(), options.bin, options.environment);
  std::vector<std::string> unknown;
  process::Command command{.argv = expand_all(wish.argv, lookup, unknown)};
  command.log_path = options.log_dir + "/command-" + check + ".log";
  if (!unknown.empty()) {
    ended.error = "`${" + unknown.front() + "}` has no value here";
    return ended;
  }
  try {
    process::ChildProcess child(options.guard, command);
    const auto exited = child.wait(std::min(deadline, now() + wish.within), stop);
    if (!exited && stop.stop_requested()) return std::nullopt;
    ended.timed_out = !exited;
    if (exited) ended.code = exited->status.code;
    if (exited) ended.signal = exited->status.signal;
    ended.last_output = child.last_output_lines(lines_kept);
  } catch (const std::exception& error) {
    ended.error = error.what();
  }
  return ended;
}

/// Calls `ask(check's name, wish)` for all wishes of one sort, until the run is interrupted.
template <class W, class Ask>
void each_wish(const scenario::Scenario& scenario, const std::stop_token& stop, Ask ask) {
  for (const auto& expectation : scenario.expect) {
    for (const auto& wish : expectation.spec.check->wishes()) {
      const auto* one = std::get_if<W>(&wish);
      if (one && !stop.stop_requested()) ask(expectation.spec.name, *one);
    }
  }
}

}  // namespace

void ask_afterwards(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder,
                    Instant deadline, const std::stop_token& stop) {
  each_wish<checks::LedgerWish>(scenario, stop, [&](const auto& check, const auto& wish) {
    // Its time is that of the question: what is acknowledged from here on it need not know.
    const Instant asked = now();
    const auto& database = dynamic_cast<DatabaseService&>(*topology.services().at(wish.database));
    recorder.record(asked,
                    read_ledger(check, wish.query, database, std::min(deadline, asked + longest_read), stop));
  });
  each_wish<checks::CommandWish>(scenario, stop, [&](const auto& check, const auto& wish) {
    if (auto ended = run_command(check, wish, topology, deadline, stop))
      recorder.record(now(), std::move(*ended));
  });
}

}  // namespace breakwire::run
