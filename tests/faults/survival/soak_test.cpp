// Random faults of every kind under real gRPC and TCP traffic, for a minute or as long as asked:
//   BREAKWIRE_SOAK_SECONDS=3600 BREAKWIRE_SOAK_SEED=7 build/dev/tests/soak_test
// From 30 seconds on every kind has to have been armed and traffic of every sort to have come through; a
// shorter run shows only that nothing breaks. Afterwards the edges work, and nothing is left of what was: no
// connection, descriptor, thread or memory.
#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/faults/relay/grpc_peers.h"
#include "tests/faults/relay/relay_test.h"
#include "tests/faults/survival/ledger.h"
#include "tests/faults/survival/random_faults.h"
#include "tests/faults/survival/resources.h"
#include "tests/faults/survival/tcp_crowd.h"

namespace breakwire::relay::testing {
namespace {

// Of bytes in use. What allocators and gRPC keep for themselves varies that much, however long it takes: it
// has reached its size in the warm-up. A leak grows with the traffic, so the longer the run, the smaller a
// leak per call is found.
constexpr size_t tolerance = 2u << 20;
constexpr std::chrono::seconds long_enough(30);  // for every kind to have its turn

uint64_t asked_for(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Callers of the echo service, each on a channel of its own that it gives up now and then.
class Callers {
 public:
  Callers(uint16_t port, uint64_t seed, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, port, seed = mix(seed, i)] { work(port, Rng(seed)); });
    }
  }
  ~Callers() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }
  std::map<grpc::StatusCode, size_t> outcomes() const {
    const std::lock_guard lock(mutex_);
    return outcomes_;
  }

 private:
  void work(uint16_t port, Rng rng) {
    while (!stop_) {
      EchoClient client(port);
      for (uint64_t call = rng.next() % 60; call > 0 && !stop_; --call) talk(client, rng);
    }
  }
  /// A few calls side by side, some of which are cancelled.
  void talk(EchoClient& client, Rng& rng) {
    std::vector<std::unique_ptr<Call>> calls;
    for (uint64_t i = 1 + rng.next() % 4; i > 0; --i) {
      const size_t size = rng.next() % 4 == 0 ? rng.next() % 300'000 : rng.next() % 500;
      const std::chrono::milliseconds deadline(20 + rng.next() % 300);
      calls.push_back(client.start("Say", std::string(size, 'x'), deadline));
    }
    if (rng.next() % 4 == 0) calls.back()->cancel();
    for (const auto& call : calls) {
      const std::lock_guard lock(mutex_);
      ++outcomes_[call->code()];
    }
  }

  mutable std::mutex mutex_;
  std::map<grpc::StatusCode, size_t> outcomes_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

class SoakTest : public ::testing::Test {
 protected:
  /// Trouble for so long, and then quiet: faults cleared, peers gone, connections over.
  void soak(std::chrono::milliseconds length, uint64_t seed) {
    {
      Callers callers(grpc_port, seed, 3);
      Troublemaker trouble(*network, {grpc_edge, tcp_edge},
                           {.seed = seed, .at_once = 3, .longest_pause = 60ms});
      const auto until = Clock::now() + length;
      TcpCrowd crowd(tcp_port, seed, 5);
      came = crowd.run([&](const TcpCrowd::Sums&) { return Clock::now() >= until; });
      armed = trouble.armed();
      outcomes = callers.outcomes();
    }
    tcp_server->hang_up();
    // What a black hole made wait for its retransmission may take longer than all else.
    EXPECT_TRUE(ledger.wait_until(
        [](const auto& sums) { return sums.open_connections == 0 && sums.open_calls == 0; }, 60s))
        << ledger.sums().open_connections << " connections and " << ledger.sums().open_calls
        << " calls are open";
  }
  void expect_working_edges() {
    const auto begin = Clock::now();
    {
      EchoClient client(grpc_port);
      EXPECT_EQ(client.say(), grpc::StatusCode::OK);
    }
    auto client = dial(tcp_port);
    EXPECT_TRUE(client.send("well?"));
    EXPECT_EQ(client.receive(5), "well?");
    client.send_fin();
    EXPECT_EQ(client.receive_end(), 0);
    std::printf("a call and an echo after it took %s\n",
                breakwire::to_text(Duration(Clock::now() - begin)).c_str());
    EXPECT_TRUE(ledger.wait_until([](const auto& sums) { return sums.open_connections == 0; }));
  }

  const EdgeId grpc_edge{"client->echo"};
  const EdgeId tcp_edge{"client->tcp"};
  Ledger ledger;
  std::unique_ptr<EchoServer> grpc_server;
  std::unique_ptr<TcpEcho> tcp_server;
  std::unique_ptr<Network> network;
  uint16_t grpc_port = 0;
  uint16_t tcp_port = 0;
  TcpCrowd::Sums came;
  std::map<std::string, size_t> armed;
  std::map<grpc::StatusCode, size_t> outcomes;
};

TEST_F(SoakTest, LeavesNothingBehindAndEdgesThatWork) {
  const std::chrono::seconds length(asked_for("BREAKWIRE_SOAK_SECONDS", 60));
  const uint64_t seed = asked_for("BREAKWIRE_SOAK_SEED", 1);
  SCOPED_TRACE("BREAKWIRE_SOAK_SEED=" + std::to_string(seed));
  raise_descriptor_limit();
  {
    // gRPC starts its threads with the first channel and keeps them.
    EchoServer first;
    EXPECT_EQ(EchoClient(first.port()).say(), grpc::StatusCode::OK);
  }
  const auto descriptors = open_descriptors();
  grpc_server = std::make_unique<EchoServer>();
  tcp_server = std::make_unique<TcpEcho>(seed);
  network = std::make_unique<Network>(ledger);
  grpc_port = network->open({.id = grpc_edge, .upstream = TcpAddress{.port = grpc_server->port()}}).port;
  tcp_port = network->open({.id = tcp_edge, .upstream = TcpAddress{.port = tcp_server->port()}}).port;

  soak(length / 4, mix(seed, "warm-up"));
  expect_working_edges();
  const size_t bytes = bytes_in_use();
  soak(length - length / 4, seed);
  expect_working_edges();

  EXPECT_LE(bytes_in_use(), bytes + tolerance) << "from " << bytes;
  std::printf("%zu connections, %zu calls; %zu bytes in use, %zu at first\n", ledger.sums().connections,
              ledger.sums().calls, bytes_in_use(), bytes);
  for (const auto& [code, count] : outcomes) std::printf("gRPC status %d: %zu\n", code, count);
  for (const auto& [action, count] : ledger.sums().hits) std::printf("hit %s: %zu\n", action.c_str(), count);
  if (length >= long_enough) {
    EXPECT_GT(outcomes[grpc::StatusCode::OK], 10u);
    EXPECT_GT(outcomes.size(), 2u) << "faults that nobody notices";
    EXPECT_GT(came.echoed, 10u);
    for (const auto& kind : wire_kinds()) EXPECT_GT(armed[kind], 0u) << kind;
  }
  EXPECT_EQ(ledger.sums().wrong_ends, 0u);

  // The data plane ends, which it does not while any wait of its own is left.
  network.reset();
  tcp_server.reset();
  grpc_server.reset();
  EXPECT_EQ(descriptors_settled(descriptors), descriptors) << open_sockets();
}

}  // namespace
}  // namespace breakwire::relay::testing
