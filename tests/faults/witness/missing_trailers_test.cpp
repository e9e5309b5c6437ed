// missing_trailers as gRPC's C-core meets it, in C++ and in Python: of trailers without a status a client
// makes UNKNOWN, unless its retries are on, which is the default: then it aborts its process
// (grpc/grpc#34683, profile `ccore-1.51`). So each such client is a process of its own.
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>

#include "tests/faults/relay/grpc_test.h"

namespace breakwire::relay::testing {
namespace {

/// One call by a client whose retries are as gRPC has them when nobody says anything.
grpc::StatusCode call_with_retries(uint16_t port) {
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
  grpc::GenericStub stub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  return Call(stub, "/test.Echo/Say", "hello", 10s, true).code();
}

/// The same in Python: what it prints, and how it ended.
struct Ran {
  std::string printed;
  int status = -1;  // as wait(2) says it
};
Ran ran_in_python(uint16_t port, const std::string& retries) {
  constexpr const char* script = R"(
import sys, grpc
channel = grpc.insecure_channel(sys.argv[1], [("grpc.enable_retries", int(sys.argv[2]))])
try:
    print(channel.unary_unary("/test.Echo/Say")(b"hello", timeout=10, wait_for_ready=True).decode())
except grpc.RpcError as error:
    print(error.code().name)
)";
  Ran result;
  FILE* pipe = ::popen(("ulimit -c 0; exec /usr/bin/python3 -c '" + std::string(script) +
                        "' 127.0.0.1:" + std::to_string(port) + " " + retries + " 2>/dev/null")
                           .c_str(),
                       "r");
  char buffer[256];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) result.printed.append(buffer, n);
  result.status = ::pclose(pipe);
  return result;
}

constexpr const char* on_headers = R"({"end_stream_on": "headers"})";

class MissingTrailersDeathTest : public GrpcRelayTest {
 protected:
  // A process of its own from the beginning: gRPC's threads do not live on in a forked one.
  MissingTrailersDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(MissingTrailersDeathTest, TrailersWithoutAStatusAbortAClientWhoseRetriesAreOn) {
  const auto fault = arm_kind("missing_trailers", on_headers);
  EXPECT_EXIT(call_with_retries(port), ::testing::KilledBySignal(SIGABRT), "");
}

TEST_F(MissingTrailersDeathTest, AnEndOnDataIsUnknownToTheSameClient) {
  const auto fault = arm_kind("missing_trailers");
  EXPECT_EXIT(::_exit(call_with_retries(port)), ::testing::ExitedWithCode(grpc::StatusCode::UNKNOWN), "");
}

class MissingTrailersInPythonTest : public GrpcRelayTest {
 protected:
  void SetUp() override {
    if (std::system("/usr/bin/python3 -c 'import grpc' 2>/dev/null") != 0)
      GTEST_SKIP() << "python3-grpcio is not installed";
  }
};

TEST_F(MissingTrailersInPythonTest, AreTheEndOfAClientWhoseRetriesAreOnAndUnknownToOthers) {
  EXPECT_EQ(ran_in_python(port, "1").printed, "hello\n") << "without the fault";
  const auto fault = arm_kind("missing_trailers", on_headers);
  const Ran crashed = ran_in_python(port, "1");
  EXPECT_TRUE(WIFSIGNALED(crashed.status) &&
              (WTERMSIG(crashed.status) == SIGILL || WTERMSIG(crashed.status) == SIGABRT))
      << crashed.status << " " << crashed.printed;
  const Ran told = ran_in_python(port, "0");
  EXPECT_EQ(told.printed, "UNKNOWN\n");
  EXPECT_EQ(told.status, 0);
}

}  // namespace
}  // namespace breakwire::relay::testing
