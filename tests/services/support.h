#pragma once
// What the tests of the services need around them: services, calls, a dependency that does as told.
// Everything here ends with the object that holds it.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "shop/v1/inventory.grpc.pb.h"
#include "shop/v1/orders.grpc.pb.h"
#include "shop/v1/payments.grpc.pb.h"
#include "shop/v1/storefront.grpc.pb.h"
#include "tests/services/child.h"

namespace breakwire::services_test {

/// One of the shop's services on a free port of loopback, up when the constructor returns.
class Service {
 public:
  Service(const std::string& name, std::vector<std::string> flags);

  Child process;
  std::string address;                     ///< "127.0.0.1:PORT"
  std::shared_ptr<grpc::Channel> channel;  ///< of its own, no retries

  /// The answer of a Check; nothing when it failed. Never longer than 1 s.
  std::optional<std::string> health(const std::string& name) const;
  bool becomes(const std::string& name, const std::string& status, Millis within = 5s) const;

  /// The lines of its call log that mention all of `words`.
  std::vector<std::string> log_lines(const std::vector<std::string>& words) const;
};

std::string binary(const std::string& name);
std::shared_ptr<grpc::Channel> dial(const std::string& address);

struct Reply {
  grpc::Status status;
  Millis took{0};
};

/// StorefrontService/PlaceOrder. `context` is for those who want to add to it or cancel it.
Reply place_order(const Service& storefront, const std::string& order_id, Millis deadline = 2s,
                  const std::string& sku = "apple", grpc::ClientContext* context = nullptr,
                  const std::string& account = "");
Reply list_specials(const Service& storefront, Millis deadline = 2s);
/// OrdersService/CreateOrder; without a deadline when that is nothing.
Reply create_order(const Service& orders, const std::string& order_id, std::optional<Millis> deadline = 2s,
                   grpc::ClientContext* context = nullptr);

/// What a fake dependency saw of one call.
struct Seen {
  Clock::time_point at;
  std::string method;                   ///< "Reserve"
  std::optional<Millis> deadline_left;  ///< nothing: it had no deadline
  std::multimap<std::string, std::string> metadata;
  bool cancelled = false;
};

/// What stands behind orders, inventory or payments: answers as told and remembers what it was asked. In this
/// process, on a real socket.
class FakeDependency {
 public:
  FakeDependency();
  ~FakeDependency();

  const std::string& address() const { return address_; }

  /// The statuses of the calls to come, in order; when they run out, OK.
  void answer_with(std::vector<grpc::Status> statuses);
  /// Calls from now on are held until `release`, their cancellation or the end of this object.
  void hold();
  void release();

  std::vector<Seen> seen() const;
  std::size_t held() const;

 private:
  class Call;
  class Inventory;
  class Payments;
  grpc::ServerUnaryReactor* receive(const std::string& method, const grpc::CallbackServerContext& context);

  mutable std::mutex mutex_;
  std::vector<grpc::Status> statuses_;
  bool holding_ = false;
  std::vector<Seen> seen_;
  std::map<std::size_t, Call*> held_;
  std::string address_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace breakwire::services_test
