// What `${…}` stands for in a service's own texts.
#include "harness/run/names.h"

#include <gtest/gtest.h>

namespace breakwire::run {
namespace {

struct NameCase {
  std::string name;
  std::string text;
  std::optional<std::string> value;
};
class NamesTest : public testing::TestWithParam<NameCase> {};

Addresses addresses() {
  Addresses made;
  made.edges[{"orders->inventory"}] = {"127.0.0.1", 4001};
  made.edges[{"orders->inventory:admin"}] = {"127.0.0.1", 4002};
  made.edges[{"orders->inv"}] = {"127.0.0.1", 4003};
  made.edges[{"orders->db"}] = {"127.0.0.1", 4004};
  made.urls[{"orders->db"}] = "postgresql://there";
  made.ports[{"orders"}] = {{"grpc", 5001}, {"admin", 5002}};
  made.ports[{"inventory"}] = {{"grpc", 5003}, {"metrics", 5004}};
  return made;
}

TEST_P(NamesTest, StandFor) {
  const Addresses all = addresses();
  const std::string bin = "/opt/shop";
  const scenario::Lookup environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "TOKEN" ? std::optional<std::string>("t0k3n") : std::nullopt;
  };
  EXPECT_EQ(lookup_for({"orders"}, all, bin, environment)(GetParam().text), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NamesTest,
    testing::Values(NameCase{"bin", "bin", "/opt/shop"}, NameCase{"environment", "env.TOKEN", "t0k3n"},
                    NameCase{"unset_environment", "env.HOME_OF_NOBODY", {}},
                    NameCase{"own_port", "port.grpc", "5001"},
                    NameCase{"own_named_port", "port.admin", "5002"},
                    NameCase{"own_address", "address.admin", "127.0.0.1:5002"},
                    NameCase{"another_services_port", "port.metrics", {}},
                    NameCase{"edge", "orders->inventory", "127.0.0.1:4001"},
                    NameCase{"edge_host", "orders->inventory.host", "127.0.0.1"},
                    NameCase{"edge_port", "orders->inventory.port", "4001"},
                    NameCase{"edge_to_a_named_port", "orders->inventory:admin", "127.0.0.1:4002"},
                    NameCase{"edge_to_a_named_port_port", "orders->inventory:admin.port", "4002"},
                    NameCase{"edge_whose_name_begins_another", "orders->inv", "127.0.0.1:4003"},
                    NameCase{"database_url", "orders->db.url", "postgresql://there"},
                    NameCase{"url_of_no_database", "orders->inventory.url", {}},
                    NameCase{"unknown_part", "orders->inventory.path", {}},
                    NameCase{"unknown_edge", "orders->nobody", {}}, NameCase{"unknown", "uuid", {}}),
    [](const auto& one) { return one.param.name; });

TEST(NamesTest, AServiceWithoutPortsHasNone) {
  const Addresses all = addresses();
  const std::string bin;
  const scenario::Lookup nothing = [](std::string_view) { return std::nullopt; };
  EXPECT_EQ(lookup_for({"storefront"}, all, bin, nothing)("port.grpc"), std::nullopt);
  EXPECT_EQ(lookup_for({"storefront"}, all, bin, nothing)("address.grpc"), std::nullopt);
}

TEST(NamesTest, ADatabaseUrlAsksForNeitherTlsNorGss) {
  EXPECT_EQ(database_url({"127.0.0.1", 4004}, "shop"),
            "postgresql://postgres@127.0.0.1:4004/shop?sslmode=disable&gssencmode=disable");
}

}  // namespace
}  // namespace breakwire::run
