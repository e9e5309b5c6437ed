// Real gRPC servers on loopback that answer health questions, or never do.
#pragma once

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>

namespace breakwire::watch {

/// gRPC's own health service: names start out unknown, except "" which is SERVING.
class HealthServer {
 public:
  explicit HealthServer(int port = 0) : port_(port) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&anything_else_);  // a server needs something to do
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("the test's server cannot listen");
  }
  ~HealthServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  void set(const std::string& name, bool serving) {
    server_->GetHealthCheckService()->SetServingStatus(name, serving);
  }
  int port() const { return port_; }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  grpc::CallbackGenericService anything_else_;
  int port_;
  std::unique_ptr<grpc::Server> server_;
};

/// Accepts every call and answers none; or, with `bytes`, answers every call with them.
class MuteServer final : public grpc::CallbackGenericService {
 public:
  explicit MuteServer(std::string bytes = {}) : bytes_(std::move(bytes)) {
    grpc::EnableDefaultHealthCheckService(false);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("the test's server cannot listen");
  }
  ~MuteServer() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  std::set<std::string> peers() const {
    const std::lock_guard lock(mutex_);
    return peers_;
  }
  size_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const std::string& bytes) {
      if (bytes.empty()) return;
      const grpc::Slice slice(bytes);
      answer_ = grpc::ByteBuffer(&slice, 1);
      StartWriteAndFinish(&answer_, {}, grpc::Status::OK);
      answered_ = true;
    }
    void OnCancel() override {
      if (!answered_) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer answer_;
    bool answered_ = false;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    const std::lock_guard lock(mutex_);
    ++calls_;
    peers_.insert(context->peer());
    return new Reactor(bytes_);
  }

  std::string bytes_;
  mutable std::mutex mutex_;
  size_t calls_ = 0;
  std::set<std::string> peers_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace breakwire::watch
