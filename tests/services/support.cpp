#include "tests/services/support.h"

#include <sstream>
#include <stdexcept>

namespace breakwire::services_test {
namespace {

std::vector<std::string> with_binary(const std::string& name, std::vector<std::string> flags) {
  flags.insert(flags.begin(), {binary(name), "--listen=127.0.0.1:0"});
  return flags;
}

std::string address_told_by(const Child& process) {
  const std::string marker = "serving on ";
  if (!eventually([&] { return process.err().find(marker) != std::string::npos; }))
    throw std::runtime_error("the service did not come up: " + process.err());
  auto text = process.err();
  auto begin = text.find(marker) + marker.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

void set_deadline(grpc::ClientContext& context, std::optional<Millis> deadline) {
  if (deadline) context.set_deadline(std::chrono::system_clock::now() + *deadline);
}

template <class Call>
Reply timed(Call call) {
  auto began = Clock::now();
  auto status = call();
  return {status, std::chrono::duration_cast<Millis>(Clock::now() - began)};
}

}  // namespace

std::string binary(const std::string& name) { return BREAKWIRE_BIN_DIR "/" + name; }

std::shared_ptr<grpc::Channel> dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Service::Service(const std::string& name, std::vector<std::string> flags)
    : process(with_binary(name, std::move(flags))),
      address(address_told_by(process)),
      channel(dial(address)) {}

std::optional<std::string> Service::health(const std::string& name) const {
  grpc::ClientContext context;
  set_deadline(context, 1s);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(name);
  grpc::health::v1::HealthCheckResponse response;
  if (!grpc::health::v1::Health::NewStub(channel)->Check(&context, request, &response).ok())
    return std::nullopt;
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status());
}

bool Service::becomes(const std::string& name, const std::string& status, Millis within) const {
  return eventually([&] { return health(name) == status; }, within);
}

std::vector<std::string> Service::log_lines(const std::vector<std::string>& words) const {
  std::vector<std::string> found;
  std::istringstream lines(process.out());
  for (std::string line; std::getline(lines, line);) {
    bool all = true;
    for (const auto& word : words) all = all && line.find(word) != std::string::npos;
    if (all) found.push_back(line);
  }
  return found;
}

Reply place_order(const Service& storefront, const std::string& order_id, Millis deadline,
                  const std::string& sku, grpc::ClientContext* context, const std::string& account) {
  grpc::ClientContext own;
  if (context == nullptr) context = &own;
  set_deadline(*context, deadline);
  shop::v1::PlaceOrderRequest request;
  request.set_sku(sku);
  request.set_quantity(1);
  request.set_order_id(order_id);
  request.set_account(account);
  shop::v1::PlaceOrderResponse response;
  auto stub = shop::v1::StorefrontService::NewStub(storefront.channel);
  return timed([&] { return stub->PlaceOrder(context, request, &response); });
}

Reply list_specials(const Service& storefront, Millis deadline) {
  grpc::ClientContext context;
  set_deadline(context, deadline);
  shop::v1::ListSpecialsResponse response;
  auto stub = shop::v1::StorefrontService::NewStub(storefront.channel);
  return timed([&] { return stub->ListSpecials(&context, {}, &response); });
}

Reply create_order(const Service& orders, const std::string& order_id, std::optional<Millis> deadline,
                   grpc::ClientContext* context) {
  grpc::ClientContext own;
  if (context == nullptr) context = &own;
  set_deadline(*context, deadline);
  shop::v1::CreateOrderRequest request;
  request.set_sku("apple");
  request.set_quantity(1);
  request.set_order_id(order_id);
  shop::v1::CreateOrderResponse response;
  auto stub = shop::v1::OrdersService::NewStub(orders.channel);
  return timed([&] { return stub->CreateOrder(context, request, &response); });
}

/// One call to the fake; `fake.mutex_` guards whether it was finished.
class FakeDependency::Call : public grpc::ServerUnaryReactor {
 public:
  Call(FakeDependency& fake, std::size_t number) : fake_(fake), number_(number) {}
  void OnCancel() override {
    {
      std::lock_guard lock(fake_.mutex_);
      fake_.seen_[number_].cancelled = true;
      if (fake_.held_.erase(number_) == 0) return;
    }
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  FakeDependency& fake_;
  const std::size_t number_;
};

class FakeDependency::Inventory : public shop::v1::InventoryService::CallbackService {
 public:
  explicit Inventory(FakeDependency& fake) : fake_(fake) {}
  grpc::ServerUnaryReactor* Reserve(grpc::CallbackServerContext* context,
                                    const shop::v1::ReserveRequest* request,
                                    shop::v1::ReserveResponse* response) override {
    response->set_order_id(request->order_id());
    response->set_total_cents(25);
    return fake_.receive("Reserve", *context);
  }
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context, const shop::v1::ReleaseRequest*,
                                    shop::v1::ReleaseResponse*) override {
    return fake_.receive("Release", *context);
  }
  grpc::ServerUnaryReactor* GetReservation(grpc::CallbackServerContext* context,
                                           const shop::v1::GetReservationRequest*,
                                           shop::v1::GetReservationResponse*) override {
    return fake_.receive("GetReservation", *context);
  }

 private:
  FakeDependency& fake_;
};

class FakeDependency::Payments : public shop::v1::PaymentsService::CallbackService {
 public:
  explicit Payments(FakeDependency& fake) : fake_(fake) {}
  grpc::ServerUnaryReactor* Charge(grpc::CallbackServerContext* context, const shop::v1::ChargeRequest*,
                                   shop::v1::ChargeResponse*) override {
    return fake_.receive("Charge", *context);
  }
  grpc::ServerUnaryReactor* GetCharge(grpc::CallbackServerContext* context, const shop::v1::GetChargeRequest*,
                                      shop::v1::GetChargeResponse*) override {
    return fake_.receive("GetCharge", *context);
  }

 private:
  FakeDependency& fake_;
};

FakeDependency::FakeDependency() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  services_.push_back(std::make_unique<Inventory>(*this));
  services_.push_back(std::make_unique<Payments>(*this));
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeDependency::~FakeDependency() {
  release();
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

void FakeDependency::answer_with(std::vector<grpc::Status> statuses) {
  std::lock_guard lock(mutex_);
  statuses_ = std::move(statuses);
}

void FakeDependency::hold() {
  std::lock_guard lock(mutex_);
  holding_ = true;
}

void FakeDependency::release() {
  std::map<std::size_t, Call*> held;
  {
    std::lock_guard lock(mutex_);
    holding_ = false;
    held.swap(held_);
  }
  for (auto& [number, call] : held) call->Finish(grpc::Status::OK);
}

std::vector<Seen> FakeDependency::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

std::size_t FakeDependency::held() const {
  std::lock_guard lock(mutex_);
  return held_.size();
}

grpc::ServerUnaryReactor* FakeDependency::receive(const std::string& method,
                                                  const grpc::CallbackServerContext& context) {
  Seen seen{.at = Clock::now(), .method = method, .deadline_left = {}, .metadata = {}};
  if (context.deadline() != std::chrono::system_clock::time_point::max())
    seen.deadline_left =
        std::chrono::duration_cast<Millis>(context.deadline() - std::chrono::system_clock::now());
  for (const auto& [key, value] : context.client_metadata())
    seen.metadata.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));

  grpc::Status status;
  Call* call = nullptr;
  {
    std::lock_guard lock(mutex_);
    call = new Call(*this, seen_.size());
    seen_.push_back(std::move(seen));
    if (holding_) {
      held_.emplace(seen_.size() - 1, call);
      return call;
    }
    if (!statuses_.empty()) {
      status = statuses_.front();
      statuses_.erase(statuses_.begin());
    }
  }
  call->Finish(status);
  return call;
}

}  // namespace breakwire::services_test
