// Random valid HTTP/2 in both directions through the session: what no library would emit too, without a fault
// and with faults that make it re-encode and renumber from the middle on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "tests/faults/http2/carrier.h"
#include "tests/faults/transparency/comparison.h"

namespace breakwire::http2::testing {
namespace {

using Role = RawPeer::Role;

class Conversation {
 public:
  explicit Conversation(uint64_t seed, std::vector<std::string> faults)
      : rng_(mix(seed, "turns")),
        faults_(std::move(faults)),
        client(Role::client, mix(seed, "client")),
        server(Role::server, mix(seed, "server")),
        carrier({.seed = seed * 2 + 1, .slow_sockets = seed % 4 == 0}, client, server) {}

  void run() {
    const uint64_t turns = 100 + pick(400);
    for (uint64_t turn = 0; turn < turns; ++turn) {
      if (turn == turns / 2 && !faults_.empty()) {
        client.faults_wanted = faults_;
        carrier.host.rule = asked_for;
      }
      (pick(2) == 0 ? client : server).act();
      if (pick(3) == 0) carrier.step(pick(2) == 0 ? Side::downstream : Side::upstream);
      if (pick(50) == 0) carrier.run();
      if (pick(60) == 0) release();
    }
    for (int i = 0; i < 40 && !(client.quiet() && server.quiet()); ++i) {
      release();
      client.wind_up();
      server.wind_up();
      carrier.run();
    }
  }
  void expect_relayed() {
    EXPECT_TRUE(client.quiet() && server.quiet()) << "it never ends";
    EXPECT_EQ(carrier.relay_complaints(), std::vector<std::string>{});
    EXPECT_FALSE(carrier.session.demand());
    testing::expect_relayed(client, server, faults_.empty());
    EXPECT_EQ(carrier.session.live_calls(), 0u);
  }

 private:
  uint64_t pick(uint64_t n) { return rng_.next() % n; }
  void release() {
    carrier.session.fault_cleared({"f"}, carrier.now);
    carrier.deliver();
    carrier.run();
  }

  Rng rng_;
  std::vector<std::string> faults_;

 public:
  RawPeer client;
  RawPeer server;
  Carrier carrier;
};

/// BREAKWIRE_FRAMES_SEED replays one, BREAKWIRE_FRAMES_SEEDS sets how many there are.
void over_seeds(uint64_t enough, const std::function<void(uint64_t)>& each) {
  const char* only = std::getenv("BREAKWIRE_FRAMES_SEED");
  const char* many = std::getenv("BREAKWIRE_FRAMES_SEEDS");
  const uint64_t first = only != nullptr ? std::stoull(only) : 1;
  const uint64_t last = only != nullptr ? first : many != nullptr ? std::stoull(many) : enough;
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("replay with BREAKWIRE_FRAMES_SEED=" + std::to_string(seed));
    each(seed);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(FrameSequencesTest, PassUnchangedWithoutAFault) {
  over_seeds(400, [](uint64_t seed) {
    Conversation conversation(seed, {});
    conversation.run();
    conversation.expect_relayed();
  });
}

TEST(FrameSequencesTest, PassUnchangedButForTheirNumbersAroundCallsThatFaultsHoldAnswerAndEdit) {
  over_seeds(400, [](uint64_t seed) {
    std::vector<std::string> faults{"hold"};
    if (seed % 2 == 0) faults.push_back("end");
    if (seed % 3 == 0) faults.push_back("edit");
    if (seed % 5 == 0) faults.push_back("page");
    Conversation conversation(seed, faults);
    conversation.run();
    conversation.expect_relayed();
  });
}

/// The generator is worth what it generates.
TEST(FrameSequencesTest, ContainWhatTheyPromise) {
  size_t blocks = 0, never = 0, twice = 0, informational = 0, trailers = 0, resets = 0, goaways = 0,
         settings = 0;
  size_t bytes = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Conversation conversation(seed, {});
    conversation.run();
    for (const RawPeer* peer : {&conversation.client, &conversation.server}) {
      for (const Travelled& one : peer->sent) {
        blocks += one.kind == Travelled::Kind::block;
        resets += one.kind == Travelled::Kind::reset;
        goaways += one.kind == Travelled::Kind::goaway;
        settings += one.kind == Travelled::Kind::settings;
        if (one.kind == Travelled::Kind::data) bytes += one.bytes.size();
        for (size_t i = 0; i < one.fields.size(); ++i) {
          never += one.fields[i].never_indexed;
          twice += i > 0 && one.fields[i] == one.fields[i - 1];
        }
        informational += faults::value_of(one.fields, ":status") == "103";
        trailers += one.kind == Travelled::Kind::block && one.end &&
                    !faults::value_of(one.fields, ":status") && !faults::value_of(one.fields, ":path");
      }
    }
  }
  for (const size_t count : {blocks, never, twice, informational, trailers, resets, goaways, settings}) {
    EXPECT_GT(count, 40u);
  }
  EXPECT_GT(bytes, 1u << 20);
}

TEST(HpackWriterTest, IsReadByAnotherDecoder) {
  over_seeds(50, [](uint64_t seed) {
    RawPeer client(Role::client, mix(seed, "client"));
    RawPeer server(Role::server, mix(seed, "server"));
    const auto carry = [&] {
      const std::string requests = client.output(), responses = server.output();
      server.input({reinterpret_cast<const uint8_t*>(requests.data()), requests.size()});
      client.input({reinterpret_cast<const uint8_t*>(responses.data()), responses.size()});
    };
    for (int turn = 0; turn < 400; ++turn) {
      (turn % 2 == 0 ? client : server).act();
      if (turn % 7 == 0) carry();
    }
    for (int i = 0; i < 40 && !(client.quiet() && server.quiet()); ++i) {
      client.wind_up();
      server.wind_up();
      carry();
    }
    EXPECT_TRUE(client.quiet() && server.quiet());
    EXPECT_EQ(client.complaints, std::vector<std::string>{});
    EXPECT_EQ(server.complaints, std::vector<std::string>{});
    EXPECT_TRUE(windows_agree(client, server));
  });
}

}  // namespace
}  // namespace breakwire::http2::testing
