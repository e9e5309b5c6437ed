#include "services/inventory/service.h"

namespace breakwire::inventory {

using namespace shop::v1;

namespace {

grpc::Status check(const ReserveRequest& request) {
  auto status = kit::check_key("order_id", request.order_id());
  if (status.ok()) status = kit::check_key("sku", request.sku());
  if (status.ok() && !request.account().empty()) status = kit::check_key("account", request.account());
  if (status.ok() && (request.quantity() < 1 || request.quantity() > 1000))
    status = {grpc::StatusCode::INVALID_ARGUMENT, "quantity must be 1 to 1000"};
  return status;
}

grpc::Status check(const ReleaseRequest& request) {
  auto status = kit::check_key("order_id", request.order_id());
  if (status.ok() && (request.reason().size() > 1000 || request.reason().find('\0') != std::string::npos))
    status = {grpc::StatusCode::INVALID_ARGUMENT, "reason must have at most 1000 bytes, none of them zero"};
  return status;
}

constexpr const char* columns = "order_id, sku, quantity, total_cents, refused_as, refused";

/// A row of `columns` into any response that has the first four; the status that the other two say, if they
/// do.
template <class Response>
grpc::Status fill_order(const kit::Rows& rows, Response& response) {
  if (rows.empty()) return {grpc::StatusCode::NOT_FOUND, "no such order"};
  const auto& row = rows.front();
  if (!row.at(4).empty())
    return kit::status_of(
        {.kind = kit::DatabaseError::Kind::refused, .sqlstate = row.at(4), .message = row.at(5)});
  response.set_order_id(row.at(0));
  response.set_sku(row.at(1));
  response.set_quantity(static_cast<std::int32_t>(kit::number(row.at(2))));
  response.set_total_cents(kit::number(row.at(3)));
  return grpc::Status::OK;
}

}  // namespace

grpc::ServerUnaryReactor* Inventory::Reserve(grpc::CallbackServerContext* context,
                                             const ReserveRequest* request, ReserveResponse* response) {
  auto function = flaws_.has(kit::Flaw::not_idempotent) ? "reserve_again" : "reserve";
  return kit::answer_from_database(policy_, pool_, *context, check(*request),
                                   {.text = std::string("select ") + columns + " from " + function +
                                            "($1::text, $2::text, $3::text, $4::integer)",
                                    .parameters = {request->order_id(), request->account(), request->sku(),
                                                   std::to_string(request->quantity())}},
                                   [response](const kit::Rows& rows) { return fill_order(rows, *response); });
}

grpc::ServerUnaryReactor* Inventory::Release(grpc::CallbackServerContext* context,
                                             const ReleaseRequest* request, ReleaseResponse*) {
  return kit::answer_from_database(
      policy_, pool_, *context, check(*request),
      {.text = "select order_id from release($1::text, $2::text)",
       .parameters = {request->order_id(), request->reason()}},
      [](const kit::Rows& rows) {
        return rows.empty() ? grpc::Status(grpc::StatusCode::NOT_FOUND, "no such order") : grpc::Status::OK;
      });
}

grpc::ServerUnaryReactor* Inventory::GetReservation(grpc::CallbackServerContext* context,
                                                    const GetReservationRequest* request,
                                                    GetReservationResponse* response) {
  return kit::answer_from_database(
      policy_, pool_, *context, kit::check_key("order_id", request->order_id()),
      {.text = std::string("select ") + columns + " from reservations where order_id = $1::text",
       .parameters = {request->order_id()}},
      [response](const kit::Rows& rows) -> grpc::Status {
        auto status = fill_order(rows, *response);
        // A refused order is known, whatever it was refused as.
        if (rows.empty() || status.ok()) return status;
        return {grpc::StatusCode::FAILED_PRECONDITION, status.error_message()};
      });
}

grpc::ServerUnaryReactor* Inventory::GetStock(grpc::CallbackServerContext* context,
                                              const GetStockRequest* request, GetStockResponse* response) {
  return kit::answer_from_database(
      policy_, pool_, *context, kit::check_key("sku", request->sku()),
      {.text = "select sku, available, price_cents from stock where sku = $1::text",
       .parameters = {request->sku()}},
      [response](const kit::Rows& rows) -> grpc::Status {
        if (rows.empty()) return {grpc::StatusCode::NOT_FOUND, "nobody sells that"};
        response->set_sku(rows.front().at(0));
        response->set_available(kit::number(rows.front().at(1)));
        response->set_price_cents(kit::number(rows.front().at(2)));
        return grpc::Status::OK;
      });
}

}  // namespace breakwire::inventory
