#include "tests/harness/load/kiosk_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>

#include <algorithm>
#include <stdexcept>

namespace breakwire {
class KioskServer::Reactor final : public grpc::ServerUnaryReactor {
 public:
  explicit Reactor(KioskServer& server) : server_(server) {}

  void OnCancel() override {
    {
      const std::lock_guard lock(server_.mutex_);
      if (std::erase(server_.held_, this) == 0) return;  // somebody else finishes it
      --server_.in_flight_;
    }
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  KioskServer& server_;
};

KioskServer::KioskServer(int port) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // for every server of the process
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (!server_) throw std::runtime_error("the test's server cannot listen");
}

KioskServer::~KioskServer() { shut_down(); }

std::string KioskServer::Seen::one(const std::string& key) const {
  const auto count = metadata.count(key);
  return count == 1 ? metadata.find(key)->second : "(" + std::to_string(count) + " values)";
}

std::vector<KioskServer::Seen> KioskServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

size_t KioskServer::most_in_flight() const {
  const std::lock_guard lock(mutex_);
  return most_in_flight_;
}

void KioskServer::answer_with(grpc::Status status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

void KioskServer::hold() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void KioskServer::release() { finish_held(grpc::Status::OK); }

void KioskServer::finish_held(const grpc::Status& status) {
  std::vector<Reactor*> held;
  {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    held.swap(held_);
    in_flight_ -= held.size();
  }
  for (auto* reactor : held) reactor->Finish(status);
}

bool KioskServer::wait_for_calls(size_t count, Duration within) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, within, [&] { return seen_.size() >= count; });
}

void KioskServer::shut_down() {
  if (!server_) return;
  finish_held({grpc::StatusCode::UNAVAILABLE, "closing"});
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  server_->Wait();
  server_.reset();
}

grpc::ServerUnaryReactor* KioskServer::Buy(grpc::CallbackServerContext* context,
                                           const kiosk::v1::BuyRequest* request,
                                           kiosk::v1::BuyResponse* response) {
  Seen seen{.peer = context->peer(), .metadata = {}, .request = *request, .deadline = false};
  for (const auto& [key, value] : context->client_metadata())
    seen.metadata.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  seen.deadline = context->deadline() != std::chrono::system_clock::time_point::max();
  response->set_order_id(request->order_id());

  auto* reactor = new Reactor(*this);
  std::unique_lock lock(mutex_);
  seen_.push_back(std::move(seen));
  most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
  changed_.notify_all();
  if (holding_ && !context->IsCancelled()) {
    held_.push_back(reactor);
  } else {
    --in_flight_;  // before the caller can know
    const grpc::Status status = status_;
    lock.unlock();
    reactor->Finish(status);
  }
  return reactor;
}

}  // namespace breakwire
