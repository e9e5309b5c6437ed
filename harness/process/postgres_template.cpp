#include "harness/process/postgres_template.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <vector>

#include "harness/process/child_process.h"

namespace breakwire::process {
namespace {

namespace fs = std::filesystem;

constexpr Duration longest_initdb = 60s;  // 0.8 s on an idle machine
// sun_path holds 107 bytes and a NUL; "/breakwire-XXXXXX/.s.PGSQL.5432" takes 31 of them.
constexpr size_t longest_place = 107 - 31;

bool has_postgres(const fs::path& directory) {
  return ::access((directory / "initdb").c_str(), X_OK) == 0 &&
         ::access((directory / "postgres").c_str(), X_OK) == 0;
}

int version_of(const fs::path& bin) { return std::atoi(bin.parent_path().filename().c_str()); }

/// Whether a user who is neither owner nor in the group may pass through every directory down to `path`.
bool open_to_everybody(const fs::path& path) {
  for (fs::path part = fs::absolute(path).lexically_normal(); !part.empty(); part = part.parent_path()) {
    struct stat info {};
    if (::stat(part.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
    if (part == part.root_path()) break;
  }
  return true;
}

void give_to(const std::string& path, const std::optional<User>& user) {
  if (user && ::lchown(path.c_str(), user->uid, user->gid) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "cannot give `" + path + "` to `" + user->name + "`");
}

/// A plain copy, without what `cp -a` would keep: PostgreSQL asks for mode 0700 and its own user, nothing
/// more.
void copy_tree(const fs::path& from, const fs::path& to, const std::optional<User>& user) {
  fs::create_directory(to);
  fs::permissions(to, fs::perms::owner_all);
  give_to(to, user);
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path target = to / entry.path().filename();
    if (entry.is_directory()) {
      copy_tree(entry.path(), target, user);
    } else {
      fs::copy_file(entry.path(), target);
      give_to(target, user);
    }
  }
}

}  // namespace

std::string find_postgres(const std::string& chosen, const std::string& debian) {
  const char* variable = std::getenv("BREAKWIRE_POSTGRES_BIN");
  if (!chosen.empty()) {
    if (has_postgres(chosen)) return chosen;
    throw PostgresMissing("there is no PostgreSQL in `" + chosen +
                          "`: name the directory that holds the programs `initdb` and `postgres`");
  }
  if (const std::string named = variable != nullptr ? variable : ""; !named.empty()) {
    if (has_postgres(named)) return named;
    throw PostgresMissing("there is no PostgreSQL in `" + named +
                          "`, which BREAKWIRE_POSTGRES_BIN names: set it to the directory that holds the "
                          "programs `initdb` and `postgres`, or unset it to use the installed one");
  }
  const char* path = std::getenv("PATH");
  std::istringstream parts(path != nullptr ? path : "");
  for (std::string part; std::getline(parts, part, ':');)
    if (!part.empty() && has_postgres(part)) return part;
  fs::path newest;
  std::error_code none;
  for (fs::directory_iterator entry(debian, none), end; entry != end; entry.increment(none)) {
    const fs::path bin = entry->path() / "bin";
    if (has_postgres(bin) && (newest.empty() || version_of(bin) > version_of(newest))) newest = bin;
  }
  if (!newest.empty()) return newest;
  throw PostgresMissing(
      "a scenario needs a database and PostgreSQL is not installed: `apt-get install postgresql` (Debian, "
      "Ubuntu), or set BREAKWIRE_POSTGRES_BIN to the directory that holds the programs `initdb` and "
      "`postgres` of another installation");
}

std::string place_for_databases(const std::optional<User>& user) {
  for (const std::string& place : {temporary_place(), std::string("/tmp")})
    if (place.size() <= longest_place && (!user || open_to_everybody(place))) return place;
  throw std::runtime_error(
      "there is no place for a database: " + temporary_place() +
      " and /tmp are closed to the user it runs as; set TMPDIR to a directory that is not, with a "
      "path of at most " +
      std::to_string(longest_place) + " bytes");
}

std::string PostgresTemplate::postgres_program() {
  const std::lock_guard lock(mutex_);
  if (bin_directory_.empty()) bin_directory_ = find_postgres(chosen_);
  return bin_directory_ + "/postgres";
}

std::optional<User> PostgresTemplate::user() { return unprivileged_user(); }

void PostgresTemplate::copy_to(const std::string& target, const std::stop_token& stop) {
  copy_tree(initialised(stop), target, user());
}

const std::string& PostgresTemplate::initialised(const std::stop_token& stop) {
  const std::string initdb = fs::path(postgres_program()).parent_path() / "initdb";
  const std::lock_guard lock(mutex_);
  if (!data_.empty()) return data_;
  const auto owner = user();
  auto directory = std::make_unique<TempDirectory>(guard_, place_for_databases(owner));
  give_to(directory->path(), owner);
  const std::string data = directory->path() + "/data";
  // One-megabyte WAL segments: sixteen times less to copy.
  ChildProcess process(guard_, {.argv = {initdb, "-D", data, "--no-sync", "--wal-segsize=1", "--locale=C",
                                         "--encoding=UTF8", "--auth=trust", "--username=postgres"},
                                .cwd = directory->path(),
                                .log_path = directory->path() + "/log",
                                .user = owner});
  const auto exit = process.wait(std::chrono::steady_clock::now() + longest_initdb, stop);
  if (!exit && stop.stop_requested())
    throw std::runtime_error("`" + initdb + "` was not waited for: interrupted");
  if (!exit || exit->status.code != 0) {
    std::string said;
    for (const std::string& line : process.last_output_lines(10)) said += "\n    " + line;
    throw std::runtime_error("`" + initdb + "` could not make a database: " +
                             (exit ? to_text(exit->status) : "it took too long") + "; it said:" + said);
  }
  directory_ = std::move(directory);
  data_ = data;
  return data_;
}

}  // namespace breakwire::process
