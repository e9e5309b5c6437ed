#include "services/kit/health.h"

#include <grpcpp/grpcpp.h>

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"

namespace breakwire::kit {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ServingStatus = HealthCheckResponse::ServingStatus;

class Watcher;

/// Everybody who watches. Shared with the watchers, which leave it when gRPC is done with them.
struct Audience {
  std::mutex mutex;
  std::set<std::shared_ptr<Watcher>> watchers;
};

/// One open Watch. It keeps only the newest state: changes faster than the stream takes them are coalesced,
/// as the protocol allows, and the last one always arrives.
class Watcher : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(std::string name, Audience& audience) : name_(std::move(name)), audience_(audience) {}

  const std::string& name() const { return name_; }

  void tell(ServingStatus status) {
    {
      std::lock_guard lock(mutex_);
      latest_ = status;
    }
    advance();
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    advance();
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      cancelled_ = cancelled_ || !ok;
    }
    advance();
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    advance();
  }

  void OnDone() override {
    std::shared_ptr<Watcher> self;
    std::lock_guard lock(audience_.mutex);
    for (const auto& watcher : audience_.watchers)
      if (watcher.get() == this) self = watcher;
    audience_.watchers.erase(self);
  }

 private:
  /// Decides under the lock, acts outside it: gRPC may call back from within.
  void advance() {
    bool write = false;
    bool finish = false;
    bool cancelled = false;
    {
      std::lock_guard lock(mutex_);
      if (writing_ || finished_) return;
      cancelled = cancelled_;
      if (!cancelled_ && latest_ != sent_) {
        sent_ = latest_;
        message_.set_status(static_cast<ServingStatus>(sent_));
        write = writing_ = true;
      } else if (cancelled_ || ending_) {
        finish = finished_ = true;
      }
    }
    if (write) StartWrite(&message_);
    if (finish && cancelled) Finish(grpc::Status::CANCELLED);
    if (finish && !cancelled) Finish({grpc::StatusCode::UNAVAILABLE, "shutting down"});
  }

  const std::string name_;
  Audience& audience_;
  std::mutex mutex_;
  int latest_ = -1;
  int sent_ = -1;
  bool writing_ = false;
  bool ending_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
  HealthCheckResponse message_;
};

}  // namespace

class Health::Service : public grpc::health::v1::Health::CallbackService {
 public:
  explicit Service(Flaws flaws) : flaws_(flaws) {}

  template <class Change>
  void change(Change change) {
    std::lock_guard turn(turn_);  // watchers hear of changes in the order in which they happen
    {
      std::lock_guard lock(mutex_);
      change(*this);
    }
    for (const auto& watcher : watchers()) {
      watcher->tell(status_of(watcher->name()));
      if (ended()) watcher->end();
    }
  }

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                  HealthCheckResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (ask_first) ask_first();
    ServingStatus status = status_of(request->service());
    response->set_status(status);
    reactor->Finish(
        status == HealthCheckResponse::SERVICE_UNKNOWN
            ? grpc::Status(grpc::StatusCode::NOT_FOUND, "the names are \"\", \"liveness\" and \"readiness\"")
            : grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<HealthCheckResponse>* Watch(grpc::CallbackServerContext*,
                                                       const HealthCheckRequest* request) override {
    auto watcher = std::make_shared<Watcher>(request->service(), audience_);
    std::lock_guard turn(turn_);
    {
      std::lock_guard lock(audience_.mutex);
      audience_.watchers.insert(watcher);
    }
    watcher->tell(status_of(watcher->name()));
    if (ended()) watcher->end();
    return watcher.get();
  }

  std::function<void()> ask_first;
  bool able = false;
  bool draining = false;
  bool watches_ended = false;

 private:
  ServingStatus status_of(const std::string& name) {
    std::lock_guard lock(mutex_);
    bool serving = true;
    if (name.empty() || name == "readiness") {
      serving = flaws_.has(Flaw::always_serving) || (able && !draining);
    } else if (name == "liveness") {
      serving = able || !flaws_.has(Flaw::liveness_needs_database);
    } else {
      return HealthCheckResponse::SERVICE_UNKNOWN;
    }
    return serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  }

  bool ended() {
    std::lock_guard lock(mutex_);
    return watches_ended;
  }

  std::vector<std::shared_ptr<Watcher>> watchers() {
    std::lock_guard lock(audience_.mutex);
    return {audience_.watchers.begin(), audience_.watchers.end()};
  }

  const Flaws flaws_;
  std::mutex turn_;
  std::mutex mutex_;
  Audience audience_;
};

Health::Health(Flaws flaws) : service_(std::make_unique<Service>(flaws)) {}
Health::~Health() = default;
void Health::set_able(bool able) {
  service_->change([able](Service& state) { state.able = able; });
}
void Health::ask_first(std::function<void()> question) { service_->ask_first = std::move(question); }
void Health::begin_drain() {
  service_->change([](Service& state) { state.draining = true; });
}
void Health::end_watches() {
  service_->change([](Service& state) { state.watches_ended = true; });
}
grpc::Service& Health::service() { return *service_; }

}  // namespace breakwire::kit
