#pragma once
// Whom the orders service calls.

#include <memory>

#include "shop/v1/inventory.grpc.pb.h"
#include "shop/v1/payments.grpc.pb.h"

namespace breakwire::orders {

/// Thread-safe.
struct Dependencies {
  std::unique_ptr<shop::v1::InventoryService::Stub> inventory;
  std::unique_ptr<shop::v1::PaymentsService::Stub> payments;
};

}  // namespace breakwire::orders
