// A real gRPC server on loopback that remembers who called and answers, or holds its answer, as a test says.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/duration.h"
#include "kiosk/v1/kiosk.grpc.pb.h"

namespace breakwire {

class KioskServer final : public kiosk::v1::KioskService::CallbackService {
 public:
  /// `port` 0: any. It serves grpc.reflection.v1alpha too, as every server does that links
  /// libgrpc++_reflection.
  explicit KioskServer(int port = 0);
  ~KioskServer() override;

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

  struct Seen {
    std::string peer;
    std::multimap<std::string, std::string> metadata;
    kiosk::v1::BuyRequest request;
    bool deadline = false;
    std::string one(const std::string& key) const;  // the only value of this key, else "(n values)"
  };
  std::vector<Seen> seen() const;
  /// Calls at one time that were not yet answered.
  size_t most_in_flight() const;

  /// From now on calls are answered so.
  void answer_with(grpc::Status status);
  /// From now on calls are not answered until `release`, their cancellation, or `shut_down`.
  void hold();
  void release();
  bool wait_for_calls(size_t count, Duration within = std::chrono::seconds(10)) const;
  /// Ends held calls with UNAVAILABLE, cancels the rest, stops listening.
  void shut_down();

  /// The order ids of what a call has streamed, in the order they came; `call` is its x-breakwire-call.
  std::vector<std::string> heard(const std::string& call) const;

  grpc::ServerUnaryReactor* Buy(grpc::CallbackServerContext* context, const kiosk::v1::BuyRequest* request,
                                kiosk::v1::BuyResponse* response) override;
  grpc::ServerWriteReactor<kiosk::v1::ListSpecialsResponse>* WatchSpecials(
      grpc::CallbackServerContext* context, const kiosk::v1::ListSpecialsRequest* request) override;
  grpc::ServerReadReactor<kiosk::v1::BuyRequest>* FillShelf(grpc::CallbackServerContext* context,
                                                            kiosk::v1::BuyResponse* response) override;
  grpc::ServerBidiReactor<kiosk::v1::BuyRequest, kiosk::v1::BuyResponse>* Haggle(
      grpc::CallbackServerContext* context) override;

 private:
  class Reactor;
  class Shelf;
  class Haggling;
  void hear(const std::string& call, const kiosk::v1::BuyRequest& message);
  void finish_held(const grpc::Status& status);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Seen> seen_;
  std::map<std::string, std::vector<std::string>> heard_;
  std::vector<Reactor*> held_;
  size_t in_flight_ = 0, most_in_flight_ = 0;
  bool holding_ = false;
  grpc::Status status_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace breakwire
