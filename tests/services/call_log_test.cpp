// The interceptors in a running service: one line per call, and one trace over all hops.

#include <gtest/gtest.h>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

const std::string trace = "0af7651916cd43dd8448eb211c80319c";

struct Chain {
  FakeDependency inventory;
  FakeDependency payments;
  Service orders{"orders", {"--inventory=" + inventory.address(), "--payments=" + payments.address()}};
  Service storefront{"storefront", {"--orders=" + orders.address}};
};

Reply place_traced_order(const Chain& chain, const std::string& traceparent) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", traceparent);
  context.AddMetadata("tracestate", "vendor=x");
  return place_order(chain.storefront, "a", 2s, "apple", &context);
}

TEST(CallLogTest, OneLinePerCallAndSideWithTheTrace) {
  Chain chain;
  ASSERT_TRUE(place_traced_order(chain, "00-" + trace + "-b7ad6b7169203331-01").status.ok());
  auto lines = [](const Service& service, const std::string& side, const std::string& method) {
    std::vector<std::string> words{R"("side":")" + side, R"("method":")" + method + "\"", R"("code":"OK")",
                                   R"("trace_id":")" + trace};
    eventually([&] { return !service.log_lines(words).empty(); });
    return service.log_lines(words).size();
  };
  EXPECT_EQ(lines(chain.storefront, "server", "shop.v1.StorefrontService/PlaceOrder"), 1U);
  EXPECT_EQ(lines(chain.storefront, "client", "shop.v1.OrdersService/CreateOrder"), 1U);
  EXPECT_EQ(lines(chain.orders, "server", "shop.v1.OrdersService/CreateOrder"), 1U);
  EXPECT_EQ(lines(chain.orders, "client", "shop.v1.InventoryService/Reserve"), 1U);
  EXPECT_EQ(chain.storefront.log_lines({"\"ts\""}).size(), 2U);
}

TEST(CallLogTest, ATraceCrossesAllHopsWithANewParentOnEach) {
  Chain chain;
  place_traced_order(chain, "00-" + trace + "-b7ad6b7169203331-01");
  auto metadata = chain.inventory.seen().at(0).metadata;
  ASSERT_EQ(metadata.count("traceparent"), 1U);
  auto parent = metadata.find("traceparent")->second;
  EXPECT_TRUE(parent.starts_with("00-" + trace)) << parent;
  EXPECT_EQ(parent.find("b7ad6b7169203331"), std::string::npos) << parent;
  EXPECT_EQ(metadata.find("tracestate")->second, "vendor=x");
  // The parent the inventory is told of is the span of the orders service's own outgoing call.
  auto span = parent.substr(36, 16);
  EXPECT_TRUE(eventually([&] {
    return chain.orders.log_lines({R"("side":"client")", R"("span_id":")" + span + "\""}).size() == 1;
  }));
}

TEST(CallLogTest, AMalformedTraceIsNotPassedOn) {
  Chain chain;
  ASSERT_TRUE(place_traced_order(chain, "00-nonsense").status.ok());
  auto metadata = chain.inventory.seen().at(0).metadata;
  ASSERT_EQ(metadata.count("traceparent"), 1U);
  EXPECT_EQ(metadata.find("traceparent")->second.size(), 55U);
  EXPECT_EQ(metadata.count("tracestate"), 0U);
}

TEST(CallLogTest, ACallThatEndedBeforeItsAnswerIsLoggedAsItsCallerSawIt) {
  Chain chain;
  chain.inventory.hold();
  place_order(chain.storefront, "a", 200ms);
  EXPECT_TRUE(eventually([&] {
    return chain.orders.log_lines({R"("side":"server")", R"("code":"DEADLINE_EXCEEDED")"}).size() == 1;
  })) << chain.orders.process.out();
}

TEST(CallLogTest, AttemptsAreNumberedOnTheServersSide) {
  Service orders("orders", {"--inventory=127.0.0.1:1", "--payments=127.0.0.1:1"});
  grpc::ClientContext context;
  context.AddMetadata("grpc-previous-rpc-attempts", "2");
  create_order(orders, "", 2s, &context);
  EXPECT_TRUE(eventually([&] {
    return orders.log_lines({R"("side":"server")", R"("attempt":3)"}).size() == 1;
  })) << orders.process.out();
}

TEST(CallLogTest, HealthIsNotLogged) {
  Chain chain;
  ASSERT_EQ(chain.orders.health(""), "SERVING");
  ASSERT_TRUE(place_order(chain.storefront, "a").status.ok());
  ASSERT_TRUE(eventually([&] { return chain.orders.log_lines({"CreateOrder"}).size() == 1; }));
  EXPECT_TRUE(chain.orders.log_lines({"grpc.health"}).empty());
}

TEST(HealthTest, AnUnknownNameIsNotFoundAndItsWatchStaysOpen) {
  Service orders("orders", {"--inventory=127.0.0.1:1", "--payments=127.0.0.1:1"});
  EXPECT_EQ(orders.health("nonsense"), std::nullopt);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 200ms);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("nonsense");
  auto watch = grpc::health::v1::Health::NewStub(orders.channel)->Watch(&context, request);
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace breakwire::services_test
