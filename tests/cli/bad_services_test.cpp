// What services and machines that will not do get: a sentence with the place and the next move, exit code 3,
// the last lines of whoever is to blame, and nothing left behind (which the fixture sees to).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

/// A port that somebody else listens on.
class TakenPort {
 public:
  TakenPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd_, 1) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("cannot take a port");
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::string text() const { return std::to_string(port_); }

 private:
  int fd_;
  uint16_t port_ = 0;
};

class BadServicesTest : public CliTest {
 protected:
  /// Runs `a.json`; it must end as an error of the environment, told on the terminal and in the report.
  std::string reason_of_error(const std::string& text) {
    file("a.json", text);
    const Ended ended = breakwire(run_of({"a.json"}));
    EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
    const auto written = report();
    const auto told = scenario(written, "good");
    EXPECT_EQ(told.find("verdict")->text, "error");
    const std::string reason = told.find("reason")->text;
    expect_says(ended.out, reason.substr(0, reason.find('\n')));
    return reason;
  }
};

TEST_F(BadServicesTest, AMissingProgramIsNamedWithItsPlaceAndWhatToDo) {
  const std::string reason =
      reason_of_error(ScenarioFile{.services = R"("storefront": { "run": ["${bin}/storefrnt"] })"});
  expect_says(reason, "service `storefront` cannot be started: there is no program");
  expect_says(reason, "/storefrnt");
  expect_says(reason, "--> a.json:5:");
  expect_says(reason, "--bin DIR");
}

TEST_F(BadServicesTest, AProgramThatIsNotInPathIsNamed) {
  const std::string reason =
      reason_of_error(ScenarioFile{.services = R"("storefront": { "run": ["no-such-program-here"] })"});
  expect_says(reason, "service `storefront` cannot be started");
  expect_says(reason, "no-such-program-here");
  expect_says(reason, "PATH");
}

TEST_F(BadServicesTest, AFileThatIsNoProgramIsNamed) {
  file("text.txt", "not a program");
  const std::string reason =
      reason_of_error(ScenarioFile{.services = R"("storefront": { "run": ["./text.txt"] })"});
  expect_says(reason, "text.txt");
  expect_says(reason, "--> a.json:5:");
}

TEST_F(BadServicesTest, AProgramIsLookedForWhereTheServiceRuns) {
  std::filesystem::create_directory(folder() / "app");
  std::filesystem::copy_file(BREAKWIRE_BIN_DIR "/storefront", folder() / "app" / "storefront");
  file("a.json",
       ScenarioFile{.services = R"("storefront": { "cwd": "app", "ready": { "grpc_health": "readiness" },
        "run": ["./storefront", "--listen=${address.grpc}", "--orders=127.0.0.1:1"] })"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
}

TEST_F(BadServicesTest, WhereAServiceRunsMayComeFromOutside) {
  std::filesystem::create_directory(folder() / "app");
  std::filesystem::copy_file(BREAKWIRE_BIN_DIR "/storefront", folder() / "app" / "storefront");
  environment["APP"] = folder() / "app";
  file("a.json",
       ScenarioFile{.services =
                        R"("storefront": { "cwd": "${env.APP}", "ready": { "grpc_health": "readiness" },
        "run": ["./storefront", "--listen=${address.grpc}", "--orders=127.0.0.1:1"] })"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
}

TEST_F(BadServicesTest, AVariableThatIsNotSetIsNamed) {
  const std::string reason = reason_of_error(ScenarioFile{
      .services = R"("storefront": { "run": ["sh", "-c", "echo ${env.NO_SUCH_VARIABLE_HERE}"] })"});
  expect_says(reason, "${env.NO_SUCH_VARIABLE_HERE}");
  expect_says(reason, "set the variable");
}

TEST_F(BadServicesTest, AServiceThatDiesAtTheStartIsQuoted) {
  const std::string reason = reason_of_error(
      ScenarioFile{.services = script("echo listening soon; echo no such table: stock >&2; exit 3")});
  expect_says(reason, "service `storefront` died before it was ready (exit code 3)");
  expect_says(reason, "listening soon");
  expect_says(reason, "no such table: stock");
  expect_says(reason, "--> a.json:5:");
  expect_says(reason, "it was started with: sh -c");
}

TEST_F(BadServicesTest, AServiceThatIsNeverReadyIsToldWithWhatWasWaitedFor) {
  const std::string reason = reason_of_error(
      ScenarioFile{.services = script("echo warming up; exec sleep 1000", R"({ "within": "500ms" })")});
  expect_says(reason, "service `storefront` was not ready within 500ms");
  expect_says(reason, "to accept a connection");
  expect_says(reason, "warming up");
  expect_says(reason, "ready.within");
}

TEST_F(BadServicesTest, AServiceWhoseHealthNeverServesIsToldWithItsLastAnswer) {
  const std::string reason = reason_of_error(ScenarioFile{
      .services = script("exec sleep 1000", R"({ "grpc_health": "readiness", "within": "500ms" })")});
  expect_says(reason, "was not ready within 500ms");
  expect_says(reason, "its health `readiness` to be SERVING");
  expect_says(reason, "last answer: ");
}

TEST_F(BadServicesTest, OnlyTheServiceThatDiedIsBlamed) {
  reason_of_error(ScenarioFile{.services = script("exit 3") + R"(,
    "innocent": { "run": ["sleep", "1000"], "ready": { "within": "50s" } })"});
  const auto services = scenario(report(), "good").find("services")->items;
  const auto exit_of = [&](size_t index) { return services.at(index).find("processes")->items.at(0); };
  EXPECT_EQ(exit_of(0).find("exit_code")->text, "3");
  EXPECT_FALSE(exit_of(0).find("expected")->boolean);
  EXPECT_TRUE(exit_of(1).find("expected")->boolean);
}

TEST_F(BadServicesTest, AServiceThatDiesOnceItWasReadyIsBlamedAndNotTheFile) {
  file("mayfly.py", R"(
import socket, sys
socket.create_server(("127.0.0.1", int(sys.argv[1]))).accept()
print("no licence", flush=True)
sys.exit(9)
)");
  const std::string reason = reason_of_error(ScenarioFile{
      .services = R"("storefront": { "run": ["/usr/bin/python3", "mayfly.py", "${port.grpc}"] })"});
  expect_says(reason, "service `storefront` ended before the load began (exit code 9)");
  expect_says(reason, "no licence");
  expect_says(reason, "--> a.json:5:");
}

TEST_F(BadServicesTest, OneServiceThatDiesDoesNotMakeTheOthersWait) {
  const Instant began = std::chrono::steady_clock::now();
  reason_of_error(ScenarioFile{.services = script("exit 1") + R"(,
    "slow": { "run": ["sleep", "1000"], "ready": { "within": "50s" } })"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

TEST_F(BadServicesTest, APortOfAServiceThatIsInUseIsNamed) {
  const TakenPort taken;
  const std::string reason = reason_of_error(ScenarioFile{
      .services = R"("storefront": { "run": ["true"], "ports": { "grpc": )" + taken.text() + " } }"});
  expect_says(reason, "port `grpc` of service `storefront`");
  expect_says(reason, "port " + taken.text() + " of 127.0.0.1 is in use by another process");
  expect_says(reason, "choose another port");
  expect_says(reason, "--> a.json:5:");
}

TEST_F(BadServicesTest, AnEdgesAddressThatIsInUseIsNamed) {
  const TakenPort taken;
  const std::string reason =
      reason_of_error(ScenarioFile{.edge = R"({ "listen": "127.0.0.1:)" + taken.text() + "\" }"});
  expect_says(reason, "edge `client->storefront` cannot listen");
  expect_says(reason, taken.text());
  expect_says(reason, "--> a.json:");
  expect_says(reason, "leave `listen` out to use any free port");
}

TEST_F(BadServicesTest, AnExternalThatCannotBeReachedIsNamed) {
  TakenPort free;  // and nobody listens any more
  free.close();
  const std::string reason = reason_of_error(
      ScenarioFile{.services = R"("storefront": { "external": "127.0.0.1:)" + free.text() + "\" }"});
  expect_says(reason, "external service `storefront` cannot be reached at 127.0.0.1:" + free.text());
  expect_says(reason, "--> a.json:5:");
  expect_says(reason, "start it first");
}

const std::string with_database = R"("db": { "postgres": {} }, "storefront": )" + storefront_alone;

TEST_F(BadServicesTest, AFolderWithoutPostgresThatWasNamedIsTold) {
  environment["BREAKWIRE_POSTGRES_BIN"] = folder().string();
  const std::string reason = reason_of_error(ScenarioFile{.services = with_database});
  expect_says(reason, "database `db` could not be started");
  expect_says(reason, "there is no PostgreSQL in `" + folder().string() +
                          "`, which BREAKWIRE_POSTGRES_BIN names: set it to the directory that holds");
  expect_says(reason, "--> a.json:5:");
}

TEST_F(BadServicesTest, ASchemaThatPostgresRefusesIsQuoted) {
  file("schema.sql", "create table stock (sku text);\ncreate tabel orders ();\n");
  const std::string reason = reason_of_error(ScenarioFile{
      .services = R"("db": { "postgres": { "schema": "schema.sql" } }, "storefront": )" + storefront_alone});
  expect_says(reason, "database `db` could not be started");
  expect_says(reason, "tabel");
  expect_says(reason, "schema.sql");
}

TEST_F(BadServicesTest, WhatHadRunIsInTheReportBesideWhatCouldNot) {
  file("s/bad.json", ScenarioFile{.name = "bad", .services = script("exit 1")});
  file("s/good.json", ScenarioFile{});
  const Ended ended = breakwire(run_of({"s"}));
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  const auto written = report();
  EXPECT_EQ(scenario(written, "good").find("verdict")->text, "passed");
  EXPECT_EQ(scenario(written, "bad").find("verdict")->text, "error");
  EXPECT_EQ(written.find("summary")->find("verdict")->text, "error");
}

TEST_F(BadServicesTest, AServiceThatDiesInTheMiddleIsQuotedInTheReport) {
  // It serves, and then it does not: the shop's own program under a shell that ends it.
  file("a.json", ScenarioFile{.services = R"("storefront": { "ready": { "grpc_health": "readiness" },
        "run": ["sh", "-c", "${bin}/storefront --listen=${address.grpc} --orders=127.0.0.1:1 & sleep 1; echo out of memory; kill -9 $!; exit 7"] })",
                              .load = R"("rate": "50/s", "for": "1500ms")"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  const auto service = scenario(report(), "good").find("services")->items.at(0);
  EXPECT_EQ(service.find("processes")->items.at(0).find("exit_code")->text, "7");
  EXPECT_FALSE(service.find("processes")->items.at(0).find("expected")->boolean);
  ASSERT_FALSE(service.find("last_output")->items.empty());
  EXPECT_EQ(service.find("last_output")->items.back().text, "out of memory");
  expect_says(ended.out, "last output of storefront");
}

TEST_F(BadServicesTest, NoSecretIsInTheReportOrOnTheTerminal) {
  environment["SHOP_TOKEN"] = "hunter\"2";
  file("a.json", ScenarioFile{.services = script("echo token is $SHOP_TOKEN; exit 1"),
                              .further = R"("secrets": ["${env.SHOP_TOKEN}"], )"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 3);
  expect_says(ended.out, "token is ***");
  const auto reason = scenario(report(), "good").find("reason")->text;
  EXPECT_EQ(reason.find("hunter"), std::string::npos) << reason;
  EXPECT_EQ((ended.out + ended.err).find("hunter"), std::string::npos);
}

TEST_F(BadServicesTest, WhatElseLiesInTheReportFolderIsLeftAlone) {
  file("report/logs/mine.txt", "keep");
  file("report/history/mine.ndjson", "keep");
  file("report/logs/good/old.log", "of an earlier run");
  file("a.json", ScenarioFile{});
  EXPECT_EQ(breakwire(run_of({"a.json"})).code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder() / "report/logs/mine.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder() / "report/history/mine.ndjson"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "report/logs/good/old.log"));
}

TEST_F(BadServicesTest, ServicesStartWithNoSignalBlockedOrIgnored) {
  // breakwire blocks SIGINT for itself and ignores SIGPIPE; its children must not inherit either.
  file("a.json", ScenarioFile{.services = script("grep -E '^Sig(Blk|Ign)' /proc/self/status; exit 1")});
  breakwire(run_of({"a.json"}));
  std::ifstream log(folder() / "report/logs/good/storefront.log");
  std::string key;
  uint64_t blocked = 1, ignored = 1;
  log >> key >> std::hex >> blocked >> key >> ignored;
  EXPECT_EQ(blocked, 0u);
  // 32 and 33 are glibc's own, which its posix_spawn leaves ignored.
  EXPECT_EQ(ignored & ~0x180000000u, 0u);
}

}  // namespace
}  // namespace breakwire::cli
