#include "tests/services/postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace breakwire::services_test {
namespace {

using Pg = std::unique_ptr<PGconn, decltype(&PQfinish)>;

std::string newest_binaries() {
  std::string best;
  std::error_code none;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
    best = std::max(best, (version.path() / "bin").string());
  if (best.empty()) throw std::runtime_error("PostgreSQL is not installed: apt-get install postgresql");
  return best;
}

int free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// PostgreSQL refuses to run as root.
const passwd* unprivileged_user() {
  if (::getuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr) throw std::runtime_error("there is no user 'postgres' to run PostgreSQL as");
  return user;
}

}  // namespace

Postgres::Postgres() : bin_(newest_binaries()), port_(free_port()) {
  std::string data = directory_.path() / "data";
  if (const auto* user = unprivileged_user()) {
    if (::chown(directory_.path().c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("chown failed");
  }
  run_and_wait({bin_ + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"});
  start();
  std::ifstream file(BREAKWIRE_SOURCE_DIR "/services/schema.sql");
  std::stringstream schema;
  schema << file.rdbuf();
  ask(schema.str());
}

Postgres::~Postgres() {
  if (postmaster_ < 0) return;
  thaw();
  ::kill(postmaster_, SIGQUIT);
  ::waitpid(postmaster_, nullptr, 0);
}

pid_t Postgres::spawn(std::vector<std::string> command) const {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto* user = unprivileged_user();
  std::string log = directory_.path() / "log";
  pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
  int fd = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  if (::chdir("/") != 0) ::_exit(126);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

void Postgres::run_and_wait(std::vector<std::string> command) const {
  std::string name = command.front();
  int status = 0;
  if (::waitpid(spawn(std::move(command)), &status, 0) < 0 || status != 0)
    throw std::runtime_error(name + " failed");
}

void Postgres::start() {
  bool up = eventually(
      [this] {
        if (postmaster_ > 0 && ::waitpid(postmaster_, nullptr, WNOHANG) == postmaster_) postmaster_ = -1;
        if (postmaster_ < 0) {  // first, or it gave up because the last one's backends were not gone yet
          postmaster_ =
              spawn({bin_ + "/postgres", "-D", directory_.path() / "data", "-p", std::to_string(port_), "-k",
                     directory_.path(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"});
        }
        return PQping(url().c_str()) == PQPING_OK;
      },
      10s);
  if (!up) throw std::runtime_error("PostgreSQL does not start");
}

void Postgres::kill() {
  ::kill(postmaster_, SIGKILL);
  ::waitpid(postmaster_, nullptr, 0);
  postmaster_ = -1;
}

std::vector<pid_t> Postgres::processes() const {
  std::vector<pid_t> all{postmaster_};
  std::string pid = std::to_string(postmaster_);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) all.push_back(child);
  return all;
}

void Postgres::freeze() {
  for (pid_t pid : processes()) ::kill(pid, SIGSTOP);
}

void Postgres::thaw() {
  for (pid_t pid : processes()) ::kill(pid, SIGCONT);
}

std::string Postgres::ask(const std::string& sql) const {
  Pg connection(PQconnectdb(url().c_str()), &PQfinish);
  std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
  auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK) return "";
  if (status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

WriteLock::WriteLock(const Postgres& postgres, const std::string& table)
    : connection_(PQconnectdb(postgres.url().c_str())) {
  const auto sql = "begin; lock table " + table + " in exclusive mode";
  std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_, sql.c_str()), &PQclear);
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
  const std::string why = PQerrorMessage(connection_);
  PQfinish(connection_);
  throw std::runtime_error(why);
}

WriteLock::~WriteLock() { PQfinish(connection_); }  // the transaction, and with it the lock, ends

}  // namespace breakwire::services_test
