// Hostile peers on either side of a relay through which a well-behaved gRPC client makes its calls. It keeps
// its success and its latency, memory stays below a bound, and what was reached is said: docs/architecture.md
// has the table.
#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/faults/relay/grpc_peers.h"
#include "tests/faults/relay/relay_test.h"
#include "tests/faults/survival/attacks.h"
#include "tests/faults/survival/ledger.h"
#include "tests/faults/survival/resources.h"

namespace breakwire::relay::testing {
namespace {

using http2::Side;

constexpr int rounds = 3;            // connections that attack, one after the other
constexpr size_t least_calls = 300;  // of the good client, before and during: a p99 that one pause is not
// The relay shares two cores with the attacker, the attacked server and the good client, so this is generous;
// a data plane that is busy with one peer shows as hundreds of milliseconds.
constexpr auto most_added_at_median = 20ms;
constexpr auto most_added_at_p99 = 250ms;
constexpr size_t most_memory = 48u << 20;

struct Latencies {
  std::vector<Clock::duration> all;
  size_t failed = 0;

  Clock::duration at(double share) {
    std::sort(all.begin(), all.end());
    return all[static_cast<size_t>(share * static_cast<double>(all.size() - 1))];
  }
};

/// One call after the other until it is enough.
Latencies make_calls(EchoClient& client, const std::function<bool(size_t)>& enough) {
  Latencies latencies;
  while (!enough(latencies.all.size())) {
    const auto begin = Clock::now();
    if (client.say() != grpc::StatusCode::OK) ++latencies.failed;
    latencies.all.push_back(Clock::now() - begin);
  }
  return latencies;
}

std::string shown(Clock::duration time) { return breakwire::to_text(Duration(time)); }

class HostileTest : public ::testing::TestWithParam<Attack> {
 protected:
  EdgeOptions edge_to(const std::string& id, uint16_t upstream) {
    EdgeOptions options{.id = {id}, .upstream = TcpAddress{.port = upstream}, .handshake_timeout = 200ms};
    // Few enough to be reached within a second where a sanitizer slows everything down.
    options.limits.resets_per_second = 1'000;
    options.limits.idle_frames_per_second = 2'000;
    return options;
  }

  /// One hostile connection, until the relay has ended it or the attacker has nothing more to say.
  void attack_once() {
    const Attack& attack = GetParam();
    if (attack.by == Side::downstream) {
      auto client = dial(port);
      const bool there = client.send(attack.opening);
      client.receive(attack.hears_first);
      act(client, there);
    } else {
      auto client = dial(hostile_port);
      client.send(client_opening());
      auto server = hostile.accept();
      server.receive(client_opening().size());  // the call is there
      const bool there = server.send(attack.opening);
      act(server, there);
    }
  }
  void act(Socket& attacker, bool there) {
    const Attack& attack = GetParam();
    const auto expected = told + 1;
    const auto is_told = [&](const auto& sums) { return events(sums) >= expected; };
    // It never reads. A relay without the limit would be flooded until the deadline; one that has said it is
    // for a while longer.
    const timeval a_second{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(attacker.fd(), SOL_SOCKET, SO_SNDTIMEO, &a_second, sizeof a_second);
    auto deadline = Clock::now() + 2s;
    for (size_t n = 0; there && Clock::now() < deadline; ++n) {
      const auto piece = attack.piece(n);
      if (piece.empty()) break;
      there = attacker.send(piece);
      if (is_told(ledger.sums())) deadline = std::min(deadline, Clock::now() + glance);
    }
    if (attack.end == Attack::End::passes) {
      attacker.silent(glance);
    } else if (ledger.wait_until(is_told)) {
      told = expected;
    }
  }
  size_t events(const Ledger::Sums& sums) const {
    const Attack& attack = GetParam();
    const bool down = attack.by == Side::downstream;
    if (attack.end == Attack::End::violation) {
      return down ? sums.violations_by_downstream : sums.violations_by_upstream;
    }
    const auto found = sums.limits.find(attack.what + (down ? " by downstream" : " by upstream"));
    return found == sums.limits.end() ? 0 : found->second;
  }

  EchoServer good_server;
  Listener hostile;
  Ledger ledger;
  Network network{ledger};
  const uint16_t port = network.open(edge_to("good", good_server.port())).port;
  const uint16_t hostile_port = network.open(edge_to("hostile", hostile.port())).port;
  EchoClient good{port};
  size_t told = 0;  // attacks that led to their event
};

TEST_P(HostileTest, LeavesAGoodClientItsSuccessAndLatencyAndIsNamed) {
  const Attack& attack = GetParam();
  ASSERT_EQ(good.say(), grpc::StatusCode::OK);
  auto before = make_calls(good, [](size_t made) { return made >= least_calls; });
  const bool peak_is_telling = memory_is_telling && forget_peak();
  const size_t resident = resident_bytes();

  std::atomic<bool> over = false;
  std::thread attacker([&] {
    for (int round = 0; round < rounds; ++round) attack_once();
    over = true;
  });
  auto during = make_calls(good, [&](size_t made) { return over && made >= least_calls; });
  attacker.join();

  EXPECT_EQ(before.failed, 0u);
  EXPECT_EQ(during.failed, 0u) << "of " << during.all.size();
  EXPECT_LT(during.at(0.5), before.at(0.5) + most_added_at_median) << shown(before.at(0.5)) << " without";
  EXPECT_LT(during.at(0.99), before.at(0.99) + most_added_at_p99) << shown(before.at(0.99)) << " without";
  std::string grown = "not told";
  if (peak_is_telling) {
    const size_t peak = peak_bytes();
    EXPECT_LT(peak, resident + most_memory) << "from " << resident;
    grown = "+" + std::to_string((peak - std::min(peak, resident)) / 1024) + " KiB";
  }

  // It was named, and nobody else was; only the good client's connection is left.
  EXPECT_TRUE(ledger.wait_until([](const auto& sums) { return sums.open_connections == 1; }))
      << ledger.sums().open_connections << " are open";
  const auto sums = ledger.sums();
  const size_t expected = attack.end == Attack::End::passes ? 0 : rounds;
  EXPECT_EQ(events(sums), expected);
  size_t all_events = sums.violations_by_downstream + sums.violations_by_upstream;
  for (const auto& [limit, count] : sums.limits) {
    all_events += count;
    EXPECT_EQ(limit.starts_with(attack.what + " by"), true) << limit;
  }
  EXPECT_EQ(all_events, expected);
  EXPECT_EQ(sums.wrong_ends, 0u);
  std::printf("%-36s median %s -> %s, p99 %s -> %s, %zu calls, peak %s\n", attack.name.c_str(),
              shown(before.at(0.5)).c_str(), shown(during.at(0.5)).c_str(), shown(before.at(0.99)).c_str(),
              shown(during.at(0.99)).c_str(), during.all.size(), grown.c_str());
}

INSTANTIATE_TEST_SUITE_P(Peers, HostileTest, ::testing::ValuesIn(attacks()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace breakwire::relay::testing
