#include "services/inventory/service.h"

#include <charconv>

namespace breakwire::inventory {

using namespace shop::v1;

namespace {

grpc::Status invalid(const char* what) { return {grpc::StatusCode::INVALID_ARGUMENT, what}; }

grpc::Status check_order_id(const std::string& order_id) {
  return order_id.empty() || order_id.size() > 128 ? invalid("order_id must have 1 to 128 bytes")
                                                   : grpc::Status::OK;
}

/// PostgreSQL's text holds no zero byte, and libpq would end the value at it.
grpc::Status check_text(const std::string& text) {
  return text.find('\0') == std::string::npos ? grpc::Status::OK
                                              : invalid("a name must not contain a zero byte");
}

grpc::Status check(const ReserveRequest& request) {
  auto status = check_order_id(request.order_id());
  if (status.ok()) status = check_text(request.order_id() + request.sku());
  if (status.ok() && request.sku().empty()) status = invalid("sku is missing");
  if (status.ok() && (request.quantity() < 1 || request.quantity() > 1000))
    status = invalid("quantity must be 1 to 1000");
  return status;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// A row of order_id, sku, quantity, total_cents into any response that has these fields.
template <class Response>
grpc::Status fill_order(const kit::Rows& rows, Response& response) {
  if (rows.empty()) return {grpc::StatusCode::NOT_FOUND, "no such order"};
  const auto& row = rows.front();
  response.set_order_id(row.at(0));
  response.set_sku(row.at(1));
  response.set_quantity(static_cast<std::int32_t>(number(row.at(2))));
  response.set_total_cents(number(row.at(3)));
  return grpc::Status::OK;
}

}  // namespace

grpc::ServerUnaryReactor* Inventory::answer(grpc::CallbackServerContext* context, grpc::Status checked,
                                            kit::Statement statement, Fill fill) {
  if (checked.ok()) checked = policy_.admit();
  if (checked.ok())
    return answer_from_database(pool_, std::move(statement), policy_.deadline_of(*context), std::move(fill));
  auto* reactor = context->DefaultReactor();
  reactor->Finish(checked);
  return reactor;
}

grpc::ServerUnaryReactor* Inventory::Reserve(grpc::CallbackServerContext* context,
                                             const ReserveRequest* request, ReserveResponse* response) {
  return answer(
      context, check(*request),
      {.text = "select order_id, sku, quantity, total_cents from reserve($1::text, $2::text, $3::integer)",
       .parameters = {request->order_id(), request->sku(), std::to_string(request->quantity())}},
      [response](const kit::Rows& rows) { return fill_order(rows, *response); });
}

grpc::ServerUnaryReactor* Inventory::GetReservation(grpc::CallbackServerContext* context,
                                                    const GetReservationRequest* request,
                                                    GetReservationResponse* response) {
  auto checked = check_order_id(request->order_id());
  if (checked.ok()) checked = check_text(request->order_id());
  return answer(context, checked,
                {.text = "select order_id, sku, quantity, total_cents from orders where order_id = $1::text",
                 .parameters = {request->order_id()}},
                [response](const kit::Rows& rows) { return fill_order(rows, *response); });
}

grpc::ServerUnaryReactor* Inventory::GetStock(grpc::CallbackServerContext* context,
                                              const GetStockRequest* request, GetStockResponse* response) {
  return answer(context, check_text(request->sku()),
                {.text = "select sku, available, price_cents from stock where sku = $1::text",
                 .parameters = {request->sku()}},
                [response](const kit::Rows& rows) -> grpc::Status {
                  if (rows.empty()) return {grpc::StatusCode::NOT_FOUND, "nobody sells that"};
                  response->set_sku(rows.front().at(0));
                  response->set_available(number(rows.front().at(1)));
                  response->set_price_cents(number(rows.front().at(2)));
                  return grpc::Status::OK;
                });
}

}  // namespace breakwire::inventory
