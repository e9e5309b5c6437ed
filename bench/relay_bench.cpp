// What a relay costs: the same gRPC load to the same server, direct and through a relay, alternating in one
// run, so that the ratio means something on a busy machine. Prints medians over the rounds.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "faults/relay/network.h"
#include "tests/faults/relay/grpc_peers.h"

namespace {

using namespace std::chrono_literals;
using breakwire::relay::testing::Call;
using breakwire::relay::testing::EchoClient;
using breakwire::relay::testing::EchoServer;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 7;

struct Counting final : breakwire::faults::Observer {
  void observe(breakwire::faults::Observation) override { ++seen; }
  uint64_t seen = 0;
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void call_one_by_one(EchoClient& client, int count) {
  for (int number = 0; number < count; ++number) client.say();
}

void call_concurrently(EchoClient& client, int count, size_t at_once, const std::string& message) {
  std::vector<std::unique_ptr<Call>> calls(at_once);
  for (int number = 0; number < count; ++number) {
    auto& slot = calls[static_cast<size_t>(number) % at_once];
    if (slot) slot->status();
    slot = client.start("Say", message);
  }
  for (const auto& call : calls) {
    if (call) call->status();
  }
}

void compare(const char* name, double amount, const char* unit, EchoClient& direct, EchoClient& relayed,
             const std::function<void(EchoClient&)>& load) {
  std::vector<double> direct_times, relayed_times;
  for (int round = 0; round < rounds; ++round) {
    direct_times.push_back(seconds_of([&] { load(direct); }));
    relayed_times.push_back(seconds_of([&] { load(relayed); }));
  }
  const double without = amount / median(direct_times);
  const double with = amount / median(relayed_times);
  std::printf("%-28s direct %9.1f %-8s relayed %9.1f %-8s ratio %.2f\n", name, without, unit, with, unit,
              with / without);
}

}  // namespace

int main() {
  EchoServer server;
  Counting observer;
  breakwire::relay::Network network(observer);
  const auto address =
      network.open({.id = {"bench"}, .upstream = breakwire::relay::TcpAddress{.port = server.port()}});
  EchoClient direct(server.port());
  EchoClient relayed(address.port);
  call_one_by_one(direct, 100);
  call_one_by_one(relayed, 100);

  compare("one call at a time", 500, "calls/s", direct, relayed,
          [](EchoClient& client) { call_one_by_one(client, 500); });
  compare("64 calls at a time", 5000, "calls/s", direct, relayed,
          [](EchoClient& client) { call_concurrently(client, 5000, 64, "hello"); });
  compare("8 MiB there and back", 16, "MiB/s", direct, relayed,
          [](EchoClient& client) { call_concurrently(client, 1, 1, std::string(8 << 20, 'x')); });
  const auto overhead = network.overhead();
  std::printf("the relay's own part, per chunk: p50 %.1f us, p99 %.1f us, max %.1f us (%llu chunks)\n",
              overhead.p50_us, overhead.p99_us, overhead.max_us,
              static_cast<unsigned long long>(overhead.samples));
}
