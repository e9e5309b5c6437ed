#pragma once
// Keeps stock and orders in PostgreSQL. The statements are here, what they do is in services/schema.sql.

#include "services/kit/call_policy.h"
#include "services/kit/postgres/database_call.h"
#include "shop/v1/inventory.grpc.pb.h"

namespace breakwire::inventory {

class Inventory : public shop::v1::InventoryService::CallbackService {
 public:
  /// `policy` and `pool` outlive this. Heeds the flaw not-idempotent.
  Inventory(kit::CallPolicy& policy, kit::Pool& pool, kit::Flaws flaws)
      : policy_(policy), pool_(pool), flaws_(flaws) {}

  grpc::ServerUnaryReactor* Reserve(grpc::CallbackServerContext* context,
                                    const shop::v1::ReserveRequest* request,
                                    shop::v1::ReserveResponse* response) override;
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context,
                                    const shop::v1::ReleaseRequest* request,
                                    shop::v1::ReleaseResponse* response) override;
  grpc::ServerUnaryReactor* GetReservation(grpc::CallbackServerContext* context,
                                           const shop::v1::GetReservationRequest* request,
                                           shop::v1::GetReservationResponse* response) override;
  grpc::ServerUnaryReactor* GetStock(grpc::CallbackServerContext* context,
                                     const shop::v1::GetStockRequest* request,
                                     shop::v1::GetStockResponse* response) override;

 private:
  kit::CallPolicy& policy_;
  kit::Pool& pool_;
  const kit::Flaws flaws_;
};

}  // namespace breakwire::inventory
