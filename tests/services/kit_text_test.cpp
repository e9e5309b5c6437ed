// Flags in pieces: durations, addresses, flaws.

#include <gtest/gtest.h>

#include "services/kit/address.h"
#include "services/kit/durations.h"
#include "services/kit/flaws.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, NeedsAUnit) {
  EXPECT_EQ(parse_duration("150ms"), 150ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("0s"), 0s);
  for (const char* wrong :
       {"", "5", "s", "-5s", "5 s", "5sec", "1.5s", "99999999999999999999s", "86401s", "90000000ms"})
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
}

TEST(AddressTest, IsHostAndPort) {
  EXPECT_EQ(parse_address("127.0.0.1:5000"), (Address{"127.0.0.1", 5000}));
  EXPECT_EQ(parse_address("localhost:0"), (Address{"localhost", 0}));
  EXPECT_EQ(parse_address("[::1]:80"), (Address{"::1", 80}));
  for (const char* wrong : {"", ":80", "127.0.0.1", "127.0.0.1:", "a:65536", "a:-1", "a:8o", "::1:80"})
    EXPECT_EQ(parse_address(wrong), std::nullopt) << wrong;
}

constexpr Flaw possible[] = {Flaw::no_retry, Flaw::no_drain};

TEST(FlawTest, ListsAreReadByName) {
  auto flaws = std::get<Flaws>(parse_flaws("no-drain,no-retry", possible));
  EXPECT_TRUE(flaws.has(Flaw::no_drain));
  EXPECT_TRUE(flaws.has(Flaw::no_retry));
  EXPECT_FALSE(flaws.has(Flaw::always_serving));
  EXPECT_EQ(std::get<Flaws>(parse_flaws("", possible)), Flaws{});
}

TEST(FlawTest, AnUnknownOrUselessNameIsAnError) {
  EXPECT_EQ(std::get<std::string>(parse_flaws("no-drain,no-such", possible)), "there is no flaw 'no-such'");
  EXPECT_EQ(std::get<std::string>(parse_flaws("always-serving", possible)),
            "flaw 'always-serving' would change nothing here");
  EXPECT_EQ(std::get<std::string>(parse_flaws("no-drain,,no-retry", possible)), "there is no flaw ''");
}

TEST(FlawTest, EveryFlawIsInTheTableOnce) {
  auto all = all_flaws();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(all[i].flaw), i) << all[i].name;
  EXPECT_EQ(all.size(), static_cast<std::size_t>(Flaw::leaky) + 1);
}

TEST(FlawTest, OneInTenIsTheTenth) {
  EveryTenth tenth;
  for (int call = 1; call <= 30; ++call) EXPECT_EQ(tenth.hit(), call % 10 == 0) << call;
}

}  // namespace
}  // namespace breakwire::kit
