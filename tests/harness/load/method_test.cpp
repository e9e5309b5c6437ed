// Methods are found by reflection, in descriptor sets and in .proto files; what is wrong is said with its
// place.
#include <gtest/gtest.h>

#include <future>

#include "harness/load/load.h"
#include "tests/harness/load/descriptions.h"
#include "tests/harness/load/reflection_double.h"
#include "tests/harness/load/resetting_listener.h"

namespace breakwire::load {
namespace {

using From = scenario::Descriptors::From;
const std::string buy = "kiosk.v1.KioskService/Buy";

Result<std::shared_ptr<const Method>> look_up(const std::string& method,
                                              const scenario::Descriptors& descriptors,
                                              const std::string& target = "", Duration within = 5s) {
  return find_method(method, descriptors, target, within, some_place());
}

/// Encodes a request that needs all three files and one of protobuf's own, and reads it with generated code.
void expect_whole(const Result<std::shared_ptr<const Method>>& found) {
  ASSERT_TRUE(found) << render(found.errors());
  EXPECT_FALSE((*found)->client_streaming());
  EXPECT_FALSE((*found)->server_streaming());
  const auto request = json::parse(R"({"orderId": "o", "quantity": 3, "labels": {"a": "b"},
      "items": [{"sku": "apple", "taste": "TASTE_SOUR", "price": {"cents": "9007199254740993"},
                 "baked_at": "2024-05-06T07:08:09Z"}]})",
                                   "f");
  const auto bytes = (*found)->encode(*request);
  ASSERT_TRUE(bytes) << render(bytes.errors());
  kiosk::v1::BuyRequest message;
  ASSERT_TRUE(message.ParseFromString(*bytes));
  EXPECT_EQ(message.order_id(), "o");
  EXPECT_EQ(message.quantity(), 3);
  EXPECT_EQ(message.labels().at("a"), "b");
  ASSERT_EQ(message.items_size(), 1);
  EXPECT_EQ(message.items(0).taste(), kiosk::v1::TASTE_SOUR);
  EXPECT_EQ(message.items(0).price().cents(), 9007199254740993);
  EXPECT_EQ(message.items(0).baked_at().seconds(), 1714979289);
}

TEST(FindMethodTest, ByReflectionV1AsksForImportsOneByOne) {
  const ReflectionDouble server({"v1", "v1alpha"}, kiosk_files());
  expect_whole(look_up(buy, {}, server.target()));
  EXPECT_EQ(server.paths(),
            std::vector<std::string>{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"});
}

TEST(FindMethodTest, ByReflectionFallsBackToV1alpha) {
  const ReflectionDouble server({"v1alpha"}, kiosk_files());
  expect_whole(look_up(buy, {}, server.target()));
  EXPECT_EQ(server.paths().size(), 2U);
}

TEST(FindMethodTest, ByDescriptorSet) {
  const TemporaryFolder folder;
  google::protobuf::FileDescriptorSet set;
  for (const auto& file : kiosk_files()) *set.add_file() = file;  // importers first: any order will do
  expect_whole(look_up(buy, {.from = From::descriptor_set,
                             .files = {folder.write("kiosk.binpb", set.SerializeAsString())},
                             .import_paths = {}}));
}

TEST(FindMethodTest, BySeveralDescriptorSets) {
  const TemporaryFolder folder;
  scenario::Descriptors descriptors{.from = From::descriptor_set, .files = {}, .import_paths = {}};
  for (const auto& file : kiosk_files()) {
    google::protobuf::FileDescriptorSet set;
    *set.add_file() = file;
    descriptors.files.push_back(
        folder.write(std::to_string(descriptors.files.size()), set.SerializeAsString()));
  }
  expect_whole(look_up(buy, descriptors));
}

TEST(FindMethodTest, ByProtos) {
  expect_whole(look_up(buy, {.from = From::protos,
                             .files = {KIOSK_PROTOS "/kiosk/v1/kiosk.proto"},
                             .import_paths = {KIOSK_PROTOS}}));
}

TEST(FindMethodTest, ByAProtoInItsOwnFolder) {
  const TemporaryFolder folder;
  const auto path = folder.write("tiny.proto", R"(syntax = "proto3";
      service Tiny { rpc Go(Nothing) returns (Nothing); }
      message Nothing {})");
  const auto found = look_up("Tiny/Go", {.from = From::protos, .files = {path}, .import_paths = {}});
  EXPECT_TRUE(found) << render(found.errors());
}

TEST(FindMethodTest, SaysWhichSidesStream) {
  const scenario::Descriptors descriptors{
      .from = From::protos, .files = {KIOSK_PROTOS "/kiosk/v1/kiosk.proto"}, .import_paths = {KIOSK_PROTOS}};
  struct Case {
    const char* method;
    bool client, server;
  };
  for (const auto& [name, client, server] : {Case{"Buy", false, false}, Case{"WatchSpecials", false, true},
                                             Case{"FillShelf", true, false}, Case{"Haggle", true, true}}) {
    const auto found = look_up(std::string("kiosk.v1.KioskService/") + name, descriptors);
    ASSERT_TRUE(found) << render(found.errors());
    EXPECT_EQ((*found)->client_streaming(), client) << name;
    EXPECT_EQ((*found)->server_streaming(), server) << name;
  }
}

TEST(FindMethodTest, AServerThatIsThereOnlyLaterIsAskedAgain) {
  const Instant began = std::chrono::steady_clock::now();
  ResettingListener early;
  auto found = std::async(std::launch::async,
                          [&] { return look_up(buy, {}, "127.0.0.1:" + std::to_string(early.port()), 20s); });
  ASSERT_TRUE(early.reset_connections(8));
  const ReflectionDouble server({"v1"}, kiosk_files(), early.port());
  expect_whole(found.get());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

// Errors, whole: what a person reads.

std::string complaint(const Result<std::shared_ptr<const Method>>& found) {
  return found ? "found" : render(found.errors());
}

std::string at_method(const std::string& what, const std::string& hint = "") {
  return "error: " + what +
         "\n --> kiosk.json:2:23\n  |\n2 |   \"load\": { \"method\": \"kiosk.v1.KioskService/Buy\" }\n  |" +
         std::string(23, ' ') + std::string(27, '^') + (hint.empty() ? "" : " " + hint) + "\n";
}

class MethodErrorTest : public testing::Test {
 protected:
  ReflectionDouble server{{"v1"}, kiosk_files()};
};

TEST_F(MethodErrorTest, NoSuchMethodNamesTheOthers) {
  EXPECT_EQ(complaint(look_up("kiosk.v1.KioskService/Bay", {}, server.target())),
            at_method("service kiosk.v1.KioskService has no method `Bay`; it has Buy, ListSpecials, "
                      "WatchSpecials, FillShelf, Haggle",
                      "did you mean `Buy`?"));
}

TEST_F(MethodErrorTest, NoSuchServiceNamesTheOthers) {
  EXPECT_EQ(scrubbed(complaint(look_up("kiosk.v1.KioskServise/Buy", {}, server.target())), server.target(),
                     "TARGET"),
            at_method("TARGET has no service `kiosk.v1.KioskServise`; it has kiosk.v1.KioskService",
                      "did you mean `kiosk.v1.KioskService`?"));
}

TEST_F(MethodErrorTest, NotAMethodName) {
  for (const char* name : {"Buy", "/Buy", "kiosk.v1.KioskService/", "a/b/c"}) {
    EXPECT_EQ(complaint(look_up(name, {}, server.target())),
              at_method("`" + std::string(name) + "` is not a method", "write pkg.Service/Method"));
  }
}

TEST_F(MethodErrorTest, NoReflection) {
  const ReflectionDouble silent({}, {});
  EXPECT_EQ(scrubbed(complaint(look_up(buy, {}, silent.target())), silent.target(), "TARGET"),
            at_method("TARGET does not offer server reflection (grpc.reflection.v1 or v1alpha)",
                      "describe the service with a descriptor set or its .proto files"));
}

TEST_F(MethodErrorTest, AnImportTheServerDoesNotKnow) {
  const ReflectionDouble partial({"v1"}, {proto_of("kiosk/v1/kiosk.proto"), proto_of("kiosk/v1/item.proto")});
  EXPECT_EQ(scrubbed(complaint(look_up(buy, {}, partial.target())), partial.target(), "TARGET"),
            at_method("`kiosk/v1/item.proto` imports `kiosk/v1/money.proto`, which TARGET does not have"));
}

TEST_F(MethodErrorTest, NobodyListens) {
  std::string target;
  { target = ReflectionDouble({}, {}).target(); }
  const Instant before = std::chrono::steady_clock::now();
  const std::string text = complaint(look_up(buy, {}, target, 100ms));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  EXPECT_TRUE(text.starts_with("error: " + target + " did not answer reflection within 100ms (")) << text;
  EXPECT_NE(text.find("Connection refused"), std::string::npos) << text;
  EXPECT_NE(text.find("is it started, and is this its gRPC port?"), std::string::npos) << text;
}

TEST_F(MethodErrorTest, ADescriptorSetThatCannotBeReadOrIsNone) {
  const TemporaryFolder folder;
  const auto garbage = folder.write("garbage", "not a descriptor set");
  const auto text = complaint(look_up(
      buy, {.from = From::descriptor_set, .files = {"/nowhere/x.binpb", garbage}, .import_paths = {}}));
  EXPECT_EQ(scrubbed(text, garbage, "GARBAGE"),
            at_method("cannot read the descriptor set `/nowhere/x.binpb`") +
                at_method("`GARBAGE` is not a descriptor set",
                          "make one with protoc --include_imports --descriptor_set_out=FILE"));
}

TEST_F(MethodErrorTest, MistakesInProtosAreShownWhereTheyAre) {
  const TemporaryFolder folder;
  const auto path = folder.write("bad.proto", "syntax = \"proto3\";\nmessage A {\n  Itemm item = 1;\n}\n");
  const auto found = look_up("A/B", {.from = From::protos, .files = {path}, .import_paths = {}});
  ASSERT_FALSE(found);
  ASSERT_EQ(found.errors().size(), 1U) << render(found.errors());
  const Error& error = found.errors()[0];
  EXPECT_EQ(error.what, "\"Itemm\" is not defined.");
  EXPECT_EQ(error.where.file, "bad.proto");
  EXPECT_EQ(error.where.line, 3U);
  EXPECT_EQ(error.where.column, 3U);
  EXPECT_EQ(error.also, std::vector<Place>{json::place_of(some_place())});
}

TEST_F(MethodErrorTest, AProtoThatIsNotThere) {
  const std::string text =
      complaint(look_up("A/B", {.from = From::protos, .files = {"/nowhere/x.proto"}, .import_paths = {}}));
  EXPECT_TRUE(text.starts_with("error: protoc: ")) << text;
  EXPECT_NE(text.find("/nowhere"), std::string::npos) << text;
}

}  // namespace
}  // namespace breakwire::load
