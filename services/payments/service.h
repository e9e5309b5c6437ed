#pragma once
// Keeps accounts and charges in PostgreSQL. The statements are here, what they do is in services/schema.sql.

#include "services/kit/call_policy.h"
#include "services/kit/postgres/database_call.h"
#include "services/payments/late_commits.h"
#include "shop/v1/payments.grpc.pb.h"

namespace breakwire::payments {

class Payments : public shop::v1::PaymentsService::CallbackService {
 public:
  /// `policy` and `pool` outlive this. Heeds the flaws not-idempotent and ack-before-commit.
  Payments(kit::CallPolicy& policy, kit::Pool& pool, kit::Flaws flaws)
      : policy_(policy), pool_(pool), flaws_(flaws), late_(pool) {}

  grpc::ServerUnaryReactor* Charge(grpc::CallbackServerContext* context,
                                   const shop::v1::ChargeRequest* request,
                                   shop::v1::ChargeResponse* response) override;
  grpc::ServerUnaryReactor* GetCharge(grpc::CallbackServerContext* context,
                                      const shop::v1::GetChargeRequest* request,
                                      shop::v1::GetChargeResponse* response) override;

 private:
  kit::CallPolicy& policy_;
  kit::Pool& pool_;
  const kit::Flaws flaws_;
  LateCommits late_;
};

}  // namespace breakwire::payments
