// The database's address and the monitor's verdict, without a database.

#include <gtest/gtest.h>

#include "services/kit/postgres/connection.h"
#include "services/kit/postgres/monitor.h"

namespace breakwire::kit {
namespace {

TEST(DatabaseAddressTest, IsHostAndPortOrAUrl) {
  for (const char* right : {"127.0.0.1:5432", "postgresql://shop@127.0.0.1:5432/shop", "postgres://h/d",
                            "host=/run/postgresql port=5432"})
    EXPECT_EQ(problem_with_database_address(right), std::nullopt) << right;
  for (const char* wrong : {"127.0.0.1", ":5432", "h:", "h:0", "h:65536", "h:five", "postgresql://[h/d",
                            "postgresql://h/d?nonsense=1", "nonsense=1"})
    EXPECT_NE(problem_with_database_address(wrong), std::nullopt) << wrong;
}

TEST(HysteresisTest, RisesAtTheFirstGoodProbeAndIsDownBefore) {
  Hysteresis verdict(2, 2);
  EXPECT_FALSE(verdict.up());
  EXPECT_FALSE(verdict.note(false));
  EXPECT_TRUE(verdict.note(true));
}

TEST(HysteresisTest, OneOddProbeChangesNothing) {
  Hysteresis verdict(2, 2);
  verdict.note(true);
  EXPECT_TRUE(verdict.note(false));
  EXPECT_TRUE(verdict.note(true));
  EXPECT_TRUE(verdict.note(false));  // not in a row with the one before
  EXPECT_FALSE(verdict.note(false));
  EXPECT_FALSE(verdict.note(true));
  EXPECT_FALSE(verdict.note(false));
  EXPECT_FALSE(verdict.note(true));
  EXPECT_TRUE(verdict.note(true));
}

}  // namespace
}  // namespace breakwire::kit
