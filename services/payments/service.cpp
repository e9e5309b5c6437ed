#include "services/payments/service.h"

namespace breakwire::payments {

using namespace shop::v1;

namespace {

constexpr std::int64_t most_cents = 100'000'000;

grpc::Status check(const ChargeRequest& request) {
  auto status = kit::check_key("order_id", request.order_id());
  if (status.ok()) status = kit::check_key("account", request.account());
  if (status.ok() && (request.amount_cents() < 1 || request.amount_cents() > most_cents))
    status = {grpc::StatusCode::INVALID_ARGUMENT, "amount_cents must be 1 to 100000000"};
  return status;
}

/// A row of order_id, account, amount_cents and, when it was refused, why.
template <class Response>
grpc::Status fill_charge(const kit::Rows& rows, Response& response) {
  if (rows.empty()) return {grpc::StatusCode::NOT_FOUND, "nothing was charged for this order"};
  const auto& row = rows.front();
  if (!row.at(3).empty()) return {grpc::StatusCode::FAILED_PRECONDITION, row.at(3)};
  response.set_order_id(row.at(0));
  response.set_account(row.at(1));
  response.set_amount_cents(kit::number(row.at(2)));
  return grpc::Status::OK;
}

}  // namespace

grpc::ServerUnaryReactor* Payments::Charge(grpc::CallbackServerContext* context, const ChargeRequest* request,
                                           ChargeResponse* response) {
  auto function = flaws_.has(kit::Flaw::not_idempotent) ? "charge_again" : "charge";
  kit::Statement charge{
      .text = std::string("select order_id, account, amount_cents, refused from ") + function +
              "($1::text, $2::text, $3::bigint)",
      .parameters = {request->order_id(), request->account(), std::to_string(request->amount_cents())}};
  if (!flaws_.has(kit::Flaw::ack_before_commit))
    return kit::answer_from_database(
        policy_, pool_, *context, check(*request), std::move(charge),
        [response](const kit::Rows& rows) { return fill_charge(rows, *response); });

  kit::Statement look{
      .text =
          "select $1::text, $2::text, $3::bigint, case when exists (select from accounts where "
          "account = $2::text and balance_cents >= $3::bigint) then null else "
          "'the account cannot pay that' end",
      .parameters = charge.parameters};
  return kit::answer_from_database(policy_, pool_, *context, check(*request), std::move(look),
                                   [this, response, charge](const kit::Rows& rows) {
                                     auto status = fill_charge(rows, *response);
                                     if (status.ok()) late_.add(charge);
                                     return status;
                                   });
}

grpc::ServerUnaryReactor* Payments::GetCharge(grpc::CallbackServerContext* context,
                                              const GetChargeRequest* request, GetChargeResponse* response) {
  return kit::answer_from_database(
      policy_, pool_, *context, kit::check_key("order_id", request->order_id()),
      {.text = "select order_id, account, amount_cents, refused from payments where order_id = $1::text",
       .parameters = {request->order_id()}},
      [response](const kit::Rows& rows) { return fill_charge(rows, *response); });
}

}  // namespace breakwire::payments
