// The service config: valid in gRPC's own eyes, and saying what the flaws make of it.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/validate_service_config.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/kit/call_policy.h"

namespace breakwire::kit {
namespace {

nlohmann::json config(std::initializer_list<Flaw> flaws) {
  Flaws set;
  for (Flaw flaw : flaws) set.add(flaw);
  auto text = service_config(set);
  EXPECT_EQ(grpc::experimental::ValidateServiceConfigJSON(text), "") << text;
  return nlohmann::json::parse(text);
}

nlohmann::json retry_policy(const nlohmann::json& config) {
  return config.at("methodConfig").at(0).at("retryPolicy");
}

TEST(ServiceConfigTest, RetriesUnavailableOnlyAndWithinABudget) {
  auto policy = retry_policy(config({}));
  EXPECT_EQ(policy.at("retryableStatusCodes"), nlohmann::json::array({"UNAVAILABLE"}));
  EXPECT_EQ(policy.at("maxAttempts"), 3);
  EXPECT_TRUE(config({}).contains("retryThrottling"));
}

TEST(ServiceConfigTest, NoRetryHasNoPolicy) {
  EXPECT_FALSE(config({Flaw::no_retry}).contains("methodConfig"));
}

TEST(ServiceConfigTest, OnlyWithReplicasReadinessIsWatched) {
  auto text = service_config({}, true);
  EXPECT_EQ(grpc::experimental::ValidateServiceConfigJSON(text), "") << text;
  EXPECT_EQ(nlohmann::json::parse(text).at("healthCheckConfig").at("serviceName"), "readiness");
  EXPECT_FALSE(config({}).contains("healthCheckConfig")) << "whom a single address fails, nobody else serves";
}

TEST(ServiceConfigTest, RetryEverythingMeansEverythingWithoutABudget) {
  EXPECT_EQ(retry_policy(config({Flaw::retry_everything})).at("retryableStatusCodes").size(), 16U);
  EXPECT_FALSE(config({Flaw::retry_everything}).contains("retryThrottling"));
}

TEST(ServiceConfigTest, RetriesBackOff) {
  auto policy = retry_policy(config({}));
  EXPECT_EQ(policy.at("initialBackoff"), "0.05s");
  EXPECT_EQ(policy.at("backoffMultiplier"), 2);
}

TEST(ServiceConfigTest, NoBackoffChangesThePausesOnly) {
  auto policy = retry_policy(config({Flaw::no_backoff}));
  EXPECT_EQ(policy.at("initialBackoff"), "0.001s");
  EXPECT_EQ(policy.at("maxBackoff"), "0.001s");
  EXPECT_EQ(policy.at("maxAttempts"), 3);
  EXPECT_EQ(policy.at("retryableStatusCodes"), nlohmann::json::array({"UNAVAILABLE"}));
  EXPECT_TRUE(config({Flaw::no_backoff}).contains("retryThrottling"));
}

TEST(ServiceConfigTest, ARetryStormHasNoPauseNoBudgetAndNoChoice) {
  auto policy = retry_policy(config({Flaw::retry_storm}));
  EXPECT_EQ(policy.at("maxAttempts"), 5);
  EXPECT_EQ(policy.at("maxBackoff"), "0.001s");
  EXPECT_EQ(policy.at("retryableStatusCodes").size(), 16U);
  EXPECT_FALSE(config({Flaw::retry_storm}).contains("retryThrottling"));
}

}  // namespace
}  // namespace breakwire::kit
