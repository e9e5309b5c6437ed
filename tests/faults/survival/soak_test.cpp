// Random faults of every kind under real gRPC and TCP traffic, for a minute or as long as asked:
//   BREAKWIRE_SOAK_SECONDS=3600 BREAKWIRE_SOAK_SEED=7 build/dev/tests/soak_test
// From 30 seconds on every kind has to have been armed and traffic of every sort to have come through; a
// shorter run shows only that nothing breaks. Afterwards the edges work, and nothing is left of what was: no
// connection, descriptor, thread or memory.
#include <cstdlib>

#include "tests/faults/relay/relay_test.h"
#include "tests/faults/survival/grpc_crowd.h"
#include "tests/faults/survival/ledger.h"
#include "tests/faults/survival/random_faults.h"
#include "tests/faults/survival/resources.h"
#include "tests/faults/survival/tcp_crowd.h"

namespace breakwire::relay::testing {
namespace {

// Of bytes in use. What allocators keep for themselves varies that much, however long it takes: it has
// reached its size in the warm-up. A leak grows with the traffic, so the longer the run, the smaller a leak
// per call is found.
constexpr size_t tolerance = 2u << 20;
constexpr std::chrono::seconds long_enough(30);  // for every kind to have its turn

uint64_t asked_for(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class SoakTest : public ::testing::Test {
 protected:
  /// Trouble for so long, and then quiet: faults cleared, peers gone, connections over.
  void soak(std::chrono::milliseconds length, uint64_t seed, std::unique_ptr<GrpcCrowd> crowd) {
    {
      crowd->start_callers(grpc_port, seed, 3);
      Troublemaker trouble(*network, {grpc_edge, tcp_edge},
                           {.seed = seed, .at_once = 3, .longest_pause = 60ms});
      const auto until = Clock::now() + length;
      TcpCrowd tcp_crowd(tcp_port, seed, 5);
      came = tcp_crowd.run([&](const TcpCrowd::Sums&) { return Clock::now() >= until; });
      armed = trouble.armed();
      outcomes = crowd->stop_callers();
    }
    crowd.reset();
    tcp_server->hang_up();
    // What a black hole made wait for its retransmission may take longer than all else.
    EXPECT_TRUE(ledger.wait_until(
        [](const auto& sums) { return sums.open_connections == 0 && sums.open_calls == 0; }, 60s))
        << ledger.sums().open_connections << " connections and " << ledger.sums().open_calls
        << " calls are open\n"
        << open_sockets();
  }
  void expect_working_edges() {
    const auto begin = Clock::now();
    EXPECT_EQ(echo_service->call(grpc_port), 0);
    auto client = dial(tcp_port);
    EXPECT_TRUE(client.send("well?"));
    EXPECT_EQ(client.receive(5), "well?");
    client.send_fin();
    EXPECT_EQ(client.receive_end(), 0);
    std::printf("a call and an echo after it took %s\n",
                breakwire::to_text(Duration(Clock::now() - begin)).c_str());
    EXPECT_TRUE(ledger.wait_until([](const auto& sums) { return sums.open_connections == 0; }));
  }

  const std::map<std::string, size_t> descriptors = open_descriptors();
  const size_t threads_before = threads();
  // Before there are more threads.
  std::unique_ptr<GrpcCrowd> echo_service = std::make_unique<GrpcCrowd>();
  std::unique_ptr<GrpcCrowd> first_callers = std::make_unique<GrpcCrowd>();
  std::unique_ptr<GrpcCrowd> callers = std::make_unique<GrpcCrowd>();
  const EdgeId grpc_edge{"client->echo"};
  const EdgeId tcp_edge{"client->tcp"};
  Ledger ledger;
  std::unique_ptr<TcpEcho> tcp_server;
  std::unique_ptr<Network> network;
  uint16_t grpc_port = 0;
  uint16_t tcp_port = 0;
  TcpCrowd::Sums came;
  std::map<std::string, size_t> armed;
  std::map<int, size_t> outcomes;  // of the gRPC calls by status
};

TEST_F(SoakTest, LeavesNothingBehindAndEdgesThatWork) {
  const std::chrono::seconds length(asked_for("BREAKWIRE_SOAK_SECONDS", 60));
  const uint64_t seed = asked_for("BREAKWIRE_SOAK_SEED", 1);
  SCOPED_TRACE("BREAKWIRE_SOAK_SEED=" + std::to_string(seed));
  raise_descriptor_limit();
  tcp_server = std::make_unique<TcpEcho>(seed);
  network = std::make_unique<Network>(ledger);
  grpc_port = network->open({.id = grpc_edge, .upstream = TcpAddress{.port = echo_service->serve()}}).port;
  tcp_port = network->open({.id = tcp_edge, .upstream = TcpAddress{.port = tcp_server->port()}}).port;

  soak(length / 4, mix(seed, "warm-up"), std::move(first_callers));
  expect_working_edges();
  const size_t bytes = bytes_in_use();
  soak(length - length / 4, seed, std::move(callers));
  expect_working_edges();

  EXPECT_LE(bytes_in_use(), bytes + tolerance) << "from " << bytes;
  std::printf("%zu connections, %zu calls; %zu bytes in use, %zu at first\n", ledger.sums().connections,
              ledger.sums().calls, bytes_in_use(), bytes);
  for (const auto& [code, count] : outcomes) std::printf("gRPC status %d: %zu\n", code, count);
  for (const auto& [action, count] : ledger.sums().hits) std::printf("hit %s: %zu\n", action.c_str(), count);
  if (length >= long_enough) {
    EXPECT_GT(outcomes[0], 10u);
    EXPECT_GT(outcomes.size(), 2u) << "faults that nobody notices";
    EXPECT_GT(came.echoed, 10u);
    for (const auto& kind : wire_kinds()) EXPECT_GT(armed[kind], 0u) << kind;
  }
  EXPECT_EQ(ledger.sums().wrong_ends, 0u);

  // The data plane ends, which it does not while any wait of its own is left.
  network.reset();
  tcp_server.reset();
  echo_service.reset();
  EXPECT_EQ(open_descriptors(), descriptors) << open_sockets();
  EXPECT_EQ(threads_settled(threads_before), threads_before);
}

}  // namespace
}  // namespace breakwire::relay::testing
