// Random valid HTTP/2 in both directions through a relay, over sockets: fewer of them than through the
// session alone, and everything around it.
#include <cstdlib>

#include "tests/faults/relay/http2_peers.h"
#include "tests/faults/relay/relay_test.h"
#include "tests/faults/transparency/comparison.h"

namespace breakwire::relay::testing {
namespace {

using http2::testing::RawPeer;

class FrameSequencesRelayTest : public RelayTest {
 protected:
  /// BREAKWIRE_FRAMES_SEED replays one.
  void over_seeds(uint64_t enough, bool undisturbed) {
    const char* only = std::getenv("BREAKWIRE_FRAMES_SEED");
    const uint64_t first = only != nullptr ? std::stoull(only) : 1;
    const uint64_t last = only != nullptr ? first : enough;
    for (uint64_t seed = first; seed <= last; ++seed) {
      SCOPED_TRACE("replay with BREAKWIRE_FRAMES_SEED=" + std::to_string(seed));
      converse(seed, undisturbed);
      if (HasFailure()) return;
    }
    for (const auto& violation : recorder.all<faults::ProtocolViolation>()) ADD_FAILURE() << violation.what;
    for (const auto& limit : recorder.all<faults::LimitReached>()) EXPECT_EQ(limit.limit, "held_bytes");
  }

 private:
  void converse(uint64_t seed, bool undisturbed) {
    Rng rng(mix(seed, "turns"));
    RawPeer client(RawPeer::Role::client, mix(seed, "client"));
    RawPeer server(RawPeer::Role::server, mix(seed, "server"));
    SocketPeer down(dial(port), client);
    SocketPeer up(listener.accept(), server);
    std::unique_ptr<ActiveFault> fault;
    constexpr int turns = 300;
    for (int turn = 0; turn < turns; ++turn) {
      if (turn == turns / 2 && !undisturbed) {
        client.faults_wanted = {"hold", "end", "edit", "page"};
        fault =
            arm("f" + std::to_string(seed), std::make_shared<Scripted>([](const faults::WireEvent& event) {
                  const auto* reached = std::get_if<faults::CallReached>(&event);
                  return reached ? http2::testing::action_asked_for(*reached)
                                 : faults::WireAction(faults::Forward{});
                }));
      }
      (rng.next() % 2 == 0 ? client : server).act();
      if (rng.next() % 4 == 0) take_turns(down, up, 0ms);
    }
    client.faults_wanted.clear();
    client.ask();  // once it is answered, the relay has read all that asks for the fault
    const auto winding_up = [&](const std::function<bool()>& done) {
      return run_until(down, up, [&] {
        if (done()) return true;
        client.wind_up();
        server.wind_up();
        down.write();
        up.write();
        return false;
      });
    };
    EXPECT_TRUE(winding_up([&] { return client.answered(); }));
    fault.reset();
    EXPECT_TRUE(winding_up([&] {
      return client.quiet() && server.quiet() && http2::testing::windows_agree(client, server);
    })) << "it never ends";
    http2::testing::expect_relayed(client, server, undisturbed);
  }

  Listener listener;
  const uint16_t port = open(listener.port());
};

TEST_F(FrameSequencesRelayTest, PassUnchangedWithoutAFault) { over_seeds(40, true); }

TEST_F(FrameSequencesRelayTest, PassUnchangedButForTheirNumbersAroundCallsThatFaultsHoldAnswerAndEdit) {
  over_seeds(40, false);
  EXPECT_GT(recorder.all<faults::FaultHit>().size(), 40u);
}

}  // namespace
}  // namespace breakwire::relay::testing
