// A real gRPC C++ server and client for the relay's tests: without generated code, messages are bytes.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace breakwire::relay::testing {

inline std::string text_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (buffer.Dump(&slices).ok()) {
    for (const auto& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}
inline grpc::ByteBuffer buffer_of(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

/// What a flood consists of: more than a frame.
inline std::string flood_message() { return std::string(20'000, 'f'); }

/// Serves three methods: test.Echo/Say answers what it was sent; test.Echo/Wait does so when it is let go, or
/// ends when it is cancelled; test.Echo/Flood reads nothing and writes messages without end until it is
/// cancelled.
/// Counts how often each handler ran.
class EchoServer {
 public:
  /// `adjust` may change what the server is built with.
  explicit EchoServer(const std::function<void(grpc::ServerBuilder&)>& adjust = {}) {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    if (adjust) adjust(builder);
    server_ = builder.BuildAndStart();
  }
  ~EchoServer() {
    let_go();
    shut_down();
  }

  uint16_t port() const { return static_cast<uint16_t>(port_); }
  int handled(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    const auto found = handled_.find(method);
    return found == handled_.end() ? 0 : found->second;
  }
  bool wait_until_waiting(size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return waiting_.size() == count; });
  }
  bool wait_until_cancelled(int count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return cancelled_ >= count; });
  }
  /// Lets the waiting calls answer.
  void let_go() {
    const std::lock_guard lock(mutex_);
    for (auto* reactor : std::exchange(waiting_, {})) reactor->answer();
  }
  /// GOAWAY, then the calls under way may end.
  void shut_down() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(20)); }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor(EchoServer& server, std::string method) : server_(server), method_(std::move(method)) {
      StartRead(&message_);
    }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no request"));
      const std::lock_guard lock(server_.mutex_);
      ++server_.handled_[method_];
      if (method_ == "/test.Echo/Wait" && !cancelled_) {
        server_.waiting_.insert(this);
        server_.changed_.notify_all();
      } else {
        answer();
      }
    }
    void OnCancel() override {
      const std::lock_guard lock(server_.mutex_);
      cancelled_ = true;
      ++server_.cancelled_;
      server_.changed_.notify_all();
      if (server_.waiting_.erase(this) > 0) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }
    void answer() { StartWriteAndFinish(&message_, {}, grpc::Status::OK); }

   private:
    EchoServer& server_;
    const std::string method_;
    grpc::ByteBuffer message_;
    bool cancelled_ = false;
  };
  class Flood final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Flood(EchoServer& server) : server_(server) { StartWrite(&message_); }
    void OnWriteDone(bool ok) override {
      const std::lock_guard lock(mutex_);
      if (ok && !cancelled_) StartWrite(&message_);
    }
    void OnCancel() override {
      {
        const std::lock_guard lock(server_.mutex_);
        ++server_.cancelled_;
        server_.changed_.notify_all();
      }
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    EchoServer& server_;
    std::mutex mutex_;
    const grpc::ByteBuffer message_ = buffer_of(flood_message());
    bool cancelled_ = false;
  };
  class Service final : public grpc::CallbackGenericService {
   public:
    explicit Service(EchoServer& server) : server_(server) {}
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
      if (context->method() == "/test.Echo/Flood") return new Flood(server_);
      return new Reactor(server_, context->method());
    }

   private:
    EchoServer& server_;
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, int> handled_;
  std::set<Reactor*> waiting_;
  int cancelled_ = 0;
  int port_ = 0;
  Service service_{*this};
  std::unique_ptr<grpc::Server> server_;
};

/// One call of a client, under way until it is waited for.
class Call {
 public:
  Call(grpc::GenericStub& stub, const std::string& method, const std::string& message,
       std::chrono::milliseconds deadline, bool wait_for_ready)
      : request_(buffer_of(message)) {
    context_.set_deadline(std::chrono::system_clock::now() + deadline);
    context_.set_wait_for_ready(wait_for_ready);
    stub.UnaryCall(&context_, method, {}, &request_, &response_,
                   [this](grpc::Status status) { done_.set_value(std::move(status)); });
  }
  ~Call() {
    if (!status_) {
      cancel();
      status();
    }
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void cancel() { context_.TryCancel(); }
  /// Waits for the end.
  const grpc::Status& status() {
    if (!status_) status_ = done_.get_future().get();
    return *status_;
  }
  grpc::StatusCode code() { return status().error_code(); }
  std::string response() {
    status();
    return text_of(response_);
  }

 private:
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::promise<grpc::Status> done_;
  std::optional<grpc::Status> status_;
};

/// A channel of its own: at most one connection, no retries, reconnecting quickly.
class EchoClient {
 public:
  /// `adjust` may change what the channel is made with.
  explicit EchoClient(uint16_t port, const std::function<void(grpc::ChannelArguments&)>& adjust = {}) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    arguments.SetMaxReceiveMessageSize(-1);
    if (adjust) adjust(arguments);
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                         grpc::InsecureChannelCredentials(), arguments);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
  }

  std::unique_ptr<Call> start(const std::string& method, const std::string& message = "hello",
                              std::chrono::milliseconds deadline = std::chrono::seconds(10),
                              bool wait_for_ready = false) {
    return std::make_unique<Call>(*stub_, "/test.Echo/" + method, message, deadline, wait_for_ready);
  }
  grpc::StatusCode say(std::chrono::milliseconds deadline = std::chrono::seconds(10)) {
    return start("Say", "hello", deadline)->code();
  }
  grpc::GenericStub& stub() { return *stub_; }
  grpc::Channel& channel() { return *channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

}  // namespace breakwire::relay::testing
