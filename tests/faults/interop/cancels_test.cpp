// Ten thousand calls that real gRPC cancels while both of its ends are writing DATA, through one relayed
// connection.
#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "tests/faults/relay/grpc_peers.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

/// So many calls at a time, in which both ends write without end and neither reads: each is cancelled as soon
/// as the server's HEADERS are there, behind which its first DATA is on the way.
class Cancellations {
 public:
  Cancellations(grpc::GenericStub& stub, int at_a_time) : stub_(stub), at_a_time_(at_a_time) {}
  /// Returns when all are over.
  void run(int calls) {
    for (int number = 0; number < calls; ++number) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return open_ < at_a_time_; });
        ++open_;
      }
      (new Flood(*this))->begin();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ == 0; });
  }
  int with(grpc::StatusCode code) const {
    const std::lock_guard lock(mutex_);
    const auto found = ended_.find(code);
    return found == ended_.end() ? 0 : found->second;
  }

 private:
  class Flood final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Flood(Cancellations& all) : all_(all) {
      context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    }
    void begin() {
      all_.stub_.PrepareBidiStreamingCall(&context_, "/test.Echo/Flood", {}, this);
      StartWrite(&message_);
      StartCall();
    }
    void OnReadInitialMetadataDone(bool) override { context_.TryCancel(); }
    void OnWriteDone(bool ok) override {
      if (ok) StartWrite(&message_);
    }
    void OnDone(const grpc::Status& status) override {
      all_.over(status.error_code());
      delete this;
    }

   private:
    Cancellations& all_;
    grpc::ClientContext context_;
    const grpc::ByteBuffer message_ = buffer_of(flood_message());
  };

  void over(grpc::StatusCode code) {
    const std::lock_guard lock(mutex_);
    ++ended_[code];
    --open_;
    changed_.notify_all();
  }

  grpc::GenericStub& stub_;
  const int at_a_time_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int open_ = 0;
  std::map<grpc::StatusCode, int> ended_;
};

class CancelledCallsTest : public RelayTest {};

TEST_F(CancelledCallsTest, TenThousandLeaveNoWindowAndNoStreamBehind) {
  constexpr int calls = 10'000;
  // With windows that stay small, so that leaking a little of each call would leave nothing.
  EchoServer server(
      [](grpc::ServerBuilder& builder) { builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0); });
  const uint16_t port = open({.id = edge,
                              .upstream = TcpAddress{.port = server.port()},
                              .limits = {.resets_per_second = 1'000'000}});
  EchoClient client(port,
                    [](grpc::ChannelArguments& arguments) { arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0); });
  Cancellations cancellations(client.stub(), 4);
  cancellations.run(calls);
  EXPECT_EQ(cancellations.with(grpc::StatusCode::CANCELLED), calls);
  EXPECT_TRUE(server.wait_until_cancelled(calls)) << "all of them had arrived";

  const std::string large(8 << 20, 'x');
  const auto last = client.start("Say", large, 20s);
  EXPECT_EQ(last->code(), grpc::StatusCode::OK) << last->status().error_message();
  EXPECT_TRUE(last->response() == large);

  const auto ended = recorder.wait_for<faults::CallEnded>(calls + 1);
  EXPECT_EQ(ended.size(), recorder.all<faults::CallStarted>().size()) << "none is open";
  EXPECT_EQ(std::count_if(ended.begin(), ended.end(),
                          [](const auto& one) { return one.how == faults::Ending::reset_by_downstream; }),
            calls);
  EXPECT_EQ(recorder.all<faults::ConnectionAccepted>().size(), 1u);
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty());
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
}

}  // namespace
}  // namespace breakwire::relay::testing
