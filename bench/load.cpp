#include "bench/load.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

grpc::ByteBuffer buffer_of(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

/// A call that its caller waits for, as most clients make them.
bool call(grpc::GenericStub& stub, const grpc::ByteBuffer& request) {
  grpc::ClientContext context;
  grpc::ByteBuffer sent = request;
  grpc::ByteBuffer response;
  std::promise<bool> done;
  stub.UnaryCall(&context, "/bench.Echo/Say", {}, &sent, &response,
                 [&done](const grpc::Status& status) { done.set_value(status.ok()); });
  return done.get_future().get();
}

class Pouring final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Pouring(grpc::GenericStub& stub, size_t messages) : request_(buffer_of(std::to_string(messages))) {
    stub.PrepareBidiStreamingCall(&context_, "/bench.Echo/Pour", {}, this);
    StartWriteLast(&request_, {});
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    ++got_;
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override { done_.set_value(status.ok() ? got_ : 0); }
  size_t wait() { return done_.get_future().get(); }

 private:
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, response_;
  size_t got_ = 0;
  std::promise<size_t> done_;
};

}  // namespace

struct Load::Connection {
  explicit Connection(uint16_t port) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                        grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)))
      throw std::runtime_error("no connection to port " + std::to_string(port));
    stub = std::make_unique<grpc::GenericStub>(channel);
  }
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<grpc::GenericStub> stub;
};

Load::Load(uint16_t port, size_t connections) {
  for (size_t count = 0; count < connections; ++count)
    connections_.push_back(std::make_unique<Connection>(port));
}
Load::~Load() = default;

double Load::calls(size_t count, size_t in_flight, size_t bytes) {
  const auto request = buffer_of(std::string(bytes, 'x'));
  std::atomic<long> left{static_cast<long>(count)};
  std::atomic<bool> failed = false;
  const auto begin = Clock::now();
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < in_flight; ++caller) {
    auto& stub = *connections_[caller % connections_.size()]->stub;
    callers.emplace_back([&] {
      while (left.fetch_sub(1) > 0) {
        if (!call(stub, request)) failed = true;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  if (failed) throw std::runtime_error("a call failed");
  return since(begin);
}

std::vector<double> Load::one_by_one(size_t count, size_t bytes) {
  const auto request = buffer_of(std::string(bytes, 'x'));
  std::vector<double> times;
  for (size_t made = 0; made < count; ++made) {
    const auto begin = Clock::now();
    if (!call(*connections_.front()->stub, request)) throw std::runtime_error("a call failed");
    times.push_back(since(begin));
  }
  return times;
}

double Load::stream(size_t messages) {
  const auto begin = Clock::now();
  std::vector<std::unique_ptr<Pouring>> streams;
  const size_t each = messages / connections_.size();
  for (const auto& connection : connections_)
    streams.push_back(std::make_unique<Pouring>(*connection->stub, each));
  for (const auto& stream : streams) {
    if (stream->wait() != each) throw std::runtime_error("a stream ended early");
  }
  return since(begin);
}

}  // namespace bench
