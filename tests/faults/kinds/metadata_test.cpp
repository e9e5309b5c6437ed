#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

const CallFacts facts{.connection = one, .stream = 1};

WireAction edit_of(const std::string& with, const Metadata& fields, Stage stage = Stage::headers) {
  return answer(*wire_fault("metadata", with),
                CallReached{.stage = stage, .call = &facts, .fields = &fields});
}

TEST(MetadataTest, SetsRemovesAndRewrites) {
  const auto edit = std::get<EditFields>(edit_of(
      R"({"set": {"x-tenant": "other", "a-bin": "AAE="}, "remove": ["x-user"], "rewrite": {"x-zone": "b"}})",
      {{"x-user", "me"}}));
  EXPECT_EQ(edit.remove, std::vector<std::string>{"x-user"});
  EXPECT_EQ(edit.set, (Metadata{{"a-bin", "AAE="}, {"x-tenant", "other"}}));
  EXPECT_EQ(edit.rewrite, (Metadata{{"x-zone", "b"}}));
}

TEST(MetadataTest, ActsWhereThereAreFields) {
  const Metadata fields{{"x-user", "me"}};
  for (const Stage stage : every_stage) {
    const bool here =
        stage == Stage::headers || stage == Stage::response_headers || stage == Stage::response_end;
    EXPECT_EQ(name_of(edit_of(R"({"remove": ["x-user"]})", fields, stage)), here ? "edit_fields" : "forward");
    EXPECT_EQ(said_at(*wire_fault("metadata", R"({"set": {"x-user": "you"}})"), stage), "forward");  // DATA
  }
}

TEST(MetadataTest, IsNoHitWhereNothingChanges) {
  EXPECT_EQ(name_of(edit_of(R"({"remove": ["x-user"]})", {{"x-users", "me"}})), "forward");
  EXPECT_EQ(name_of(edit_of(R"({"rewrite": {"x-user": "you"}})", {{"x-users", "me"}})), "forward");
  EXPECT_EQ(name_of(edit_of(R"({"set": {"x-user": "me"}})", {{"x-user", "me"}})), "forward");
}

TEST(MetadataTest, APseudoFieldIsAnError) {
  EXPECT_EQ(complaint("metadata", R"({ "set": { ":path": "/a.B/C" } })"),
            "error: `:path` is a pseudo-field, without which there is no call\n"
            " --> test.json:1:12\n"
            "  |\n"
            "1 | { \"set\": { \":path\": \"/a.B/C\" } }\n"
            "  |            ^^^^^^^ for another `:status` use the kind `http_status`\n");
  EXPECT_EQ(complaint("metadata", R"({ "remove": ["te", ":method"] })"),
            "error: `:method` is a pseudo-field, without which there is no call\n"
            " --> test.json:1:20\n"
            "  |\n"
            "1 | { \"remove\": [\"te\", \":method\"] }\n"
            "  |                    ^^^^^^^^^ for another `:status` use the kind `http_status`\n");
}

TEST(MetadataTest, NothingToChangeAndTwoThingsToChangeAreErrors) {
  EXPECT_NE(complaint("metadata", "{}").find("`metadata` changes nothing"), std::string::npos);
  EXPECT_NE(complaint("metadata", R"({"set": {}, "remove": []})").find("`metadata` changes nothing"),
            std::string::npos);
  EXPECT_NE(complaint("metadata", R"({"set": {"a": "1"}, "remove": ["a"]})").find("`a` is named twice"),
            std::string::npos);
}

TEST(MetadataTest, WhatTheWireCannotCarryIsAnError) {
  EXPECT_NE(complaint("metadata", R"({"remove": ["X-User"]})").find("in lower case"), std::string::npos);
  EXPECT_NE(complaint("metadata", R"({"set": {"upgrade": "h3"}})").find("RFC 9113"), std::string::npos);
  EXPECT_NE(complaint("metadata", R"({"set": {"a": "\u00e4"}})").find("printable ASCII"), std::string::npos);
}

struct BinCase {
  std::string value;
  bool good;
};
class BinTest : public ::testing::TestWithParam<BinCase> {};

TEST_P(BinTest, ValuesOfBinKeysAreBase64) {
  const std::string text = complaint("metadata", R"({"set": {"a-bin": ")" + GetParam().value + R"("}})");
  EXPECT_EQ(text.find("are base64") == std::string::npos, GetParam().good) << text;
  EXPECT_EQ(complaint("metadata", R"({"set": {"a": ")" + GetParam().value + R"("}})"), "");
}

INSTANTIATE_TEST_SUITE_P(All, BinTest,
                         ::testing::Values(BinCase{"", true}, BinCase{"AA", true}, BinCase{"AA==", true},
                                           BinCase{"AAE", true}, BinCase{"AAEC,AA==", true},
                                           BinCase{"A", false}, BinCase{"AA=", false},
                                           BinCase{"AAE=A", false}, BinCase{"A-_A", false},
                                           BinCase{"hello world", false}));

}  // namespace
}  // namespace breakwire::faults
