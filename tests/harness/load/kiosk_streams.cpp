// The kiosk's streaming methods. What a test wants of them stands in what it sends.
#include "tests/harness/load/kiosk_server.h"

namespace breakwire {
namespace {

using kiosk::v1::BuyRequest;
using kiosk::v1::BuyResponse;
using kiosk::v1::ListSpecialsRequest;
using kiosk::v1::ListSpecialsResponse;

const grpc::Status sold_out{grpc::StatusCode::FAILED_PRECONDITION, "sold out"};

/// Sends as many as were asked for, then ends, or stays until it is cancelled.
class Specials final : public grpc::ServerWriteReactor<ListSpecialsResponse> {
 public:
  explicit Specials(const ListSpecialsRequest& request)
      : left_(request.count()), keep_open_(request.keep_open()) {
    const std::lock_guard lock(mutex_);
    next();
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    ok && !cancelled_ ? next() : Finish(grpc::Status::CANCELLED);
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (!writing_ && !ended_) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void next() {
    writing_ = left_-- > 0;
    ended_ = !writing_ && !keep_open_;
    if (writing_) StartWrite(&special_);
    if (ended_) Finish(grpc::Status::OK);
  }

  std::mutex mutex_;
  int left_;
  const bool keep_open_;
  bool writing_ = false, ended_ = false, cancelled_ = false;
  ListSpecialsResponse special_;
};

}  // namespace

class KioskServer::Shelf final : public grpc::ServerReadReactor<BuyRequest> {
 public:
  Shelf(KioskServer& server, std::string call) : server_(server), call_(std::move(call)) {
    StartRead(&item_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    server_.hear(call_, item_);
    if (item_.quantity() < 0) return Finish(sold_out);
    StartRead(&item_);
  }
  void OnDone() override { delete this; }

 private:
  KioskServer& server_;
  const std::string call_;
  BuyRequest item_;
};

/// Answers each message `quantity` times before it reads the next.
class KioskServer::Haggling final : public grpc::ServerBidiReactor<BuyRequest, BuyResponse> {
 public:
  Haggling(KioskServer& server, std::string call) : server_(server), call_(std::move(call)) {
    StartRead(&bid_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    server_.hear(call_, bid_);
    if (bid_.quantity() < 0) return Finish(sold_out);
    answers_ = bid_.quantity();
    answer();
  }
  void OnWriteDone(bool ok) override { ok ? answer() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void answer() {
    if (answers_-- > 0) {
      StartWrite(&answer_);
    } else {
      StartRead(&bid_);
    }
  }

  KioskServer& server_;
  const std::string call_;
  BuyRequest bid_;
  BuyResponse answer_;
  int answers_ = 0;
};

namespace {
std::string call_of(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find("x-breakwire-call");
  return found == context.client_metadata().end() ? ""
                                                  : std::string(found->second.data(), found->second.size());
}
}  // namespace

void KioskServer::hear(const std::string& call, const BuyRequest& message) {
  const std::lock_guard lock(mutex_);
  heard_[call].push_back(message.order_id());
  changed_.notify_all();
}

std::vector<std::string> KioskServer::heard(const std::string& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = heard_.find(call);
  return found == heard_.end() ? std::vector<std::string>{} : found->second;
}

grpc::ServerWriteReactor<ListSpecialsResponse>* KioskServer::WatchSpecials(
    grpc::CallbackServerContext*, const ListSpecialsRequest* request) {
  return new Specials(*request);
}
grpc::ServerReadReactor<BuyRequest>* KioskServer::FillShelf(grpc::CallbackServerContext* context,
                                                            BuyResponse*) {
  return new Shelf(*this, call_of(*context));
}
grpc::ServerBidiReactor<BuyRequest, BuyResponse>* KioskServer::Haggle(grpc::CallbackServerContext* context) {
  return new Haggling(*this, call_of(*context));
}

}  // namespace breakwire
