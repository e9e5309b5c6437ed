// Flags and starting: what is wrong is one sentence and exit code 2; what is right is up at once.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include <grpcpp/generic/generic_stub.h>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

struct WrongFlags {
  std::string name;
  std::vector<std::string> command;
  std::string says;
};

void PrintTo(const WrongFlags& flags, std::ostream* out) { *out << flags.name; }

class StartTest : public testing::TestWithParam<WrongFlags> {};

TEST_P(StartTest, SaysWhatIsWrongInOneSentenceAndLeavesWithTwo) {
  auto command = GetParam().command;
  command.front() = binary(command.front());
  Child process(command);
  EXPECT_EQ(process.wait(), (Ended{.exit_code = 2, .signal = {}}));
  auto err = process.err();
  EXPECT_EQ(std::ranges::count(err, '\n'), 1) << err;
  EXPECT_NE(err.find(GetParam().says), std::string::npos) << err;
  EXPECT_EQ(process.out(), "");
}

INSTANTIATE_TEST_SUITE_P(
    WrongFlags, StartTest,
    testing::Values(
        WrongFlags{"NoListen", {"storefront", "--orders=127.0.0.1:1"}, "--listen is required"},
        WrongFlags{
            "NoDependency", {"orders", "--listen=127.0.0.1:0", "--payments=h:1"}, "--inventory is required"},
        WrongFlags{"EmptyDependency",
                   {"orders", "--listen=127.0.0.1:0", "--payments=h:1", "--inventory="},
                   "--inventory"},
        WrongFlags{"UnknownFlag",
                   {"storefront", "--listen=127.0.0.1:0", "--orders=h:1", "--nonsense=1"},
                   "nonsense"},
        WrongFlags{"UnknownFlaw",
                   {"storefront", "--listen=127.0.0.1:0", "--orders=h:1", "--flaw=nonsense"},
                   "there is no flaw 'nonsense'"},
        WrongFlags{"UselessFlaw",
                   {"inventory", "--listen=127.0.0.1:0", "--database=h:1", "--flaw=no-retry"},
                   "would change nothing here"},
        WrongFlags{"BareNumber",
                   {"storefront", "--listen=127.0.0.1:0", "--orders=h:1", "--grace=5"},
                   "'5' is not a duration"},
        WrongFlags{
            "BadShare",
            {"orders", "--listen=127.0.0.1:0", "--inventory=h:1", "--payments=h:1", "--breaker-ratio=0.5"},
            "'0.5' is not a share"},
        WrongFlags{"NoBreakerHere",
                   {"storefront", "--listen=127.0.0.1:0", "--orders=h:1", "--breaker-calls=5"},
                   "breaker-calls"},
        WrongFlags{
            "NoOpenPeriod",
            {"orders", "--listen=127.0.0.1:0", "--inventory=h:1", "--payments=h:1", "--breaker-open=0s"},
            "must be longer than 0"},
        WrongFlags{"NoPort", {"storefront", "--listen=127.0.0.1", "--orders=h:1"}, "is not HOST:PORT"},
        WrongFlags{"BadDatabase",
                   {"inventory", "--listen=127.0.0.1:0", "--database=nowhere"},
                   "neither HOST:PORT nor"}),
    [](const auto& wrong) { return wrong.param.name; });

TEST(StartTest, APortInUseIsAnError) {
  Service first("storefront", {"--orders=127.0.0.1:1"});
  Child second(
      {binary("orders"), "--listen=" + first.address, "--inventory=127.0.0.1:1", "--payments=127.0.0.1:1"});
  EXPECT_EQ(second.wait(), (Ended{.exit_code = 2, .signal = {}}));
  EXPECT_EQ(second.err(), "orders: cannot listen on " + first.address + "; is the port taken?\n");
}

TEST(StartTest, HelpListsTheFlawsThatMeanSomethingHere) {
  Child process({binary("inventory"), "--help"});
  EXPECT_EQ(process.wait(), (Ended{.exit_code = 0, .signal = {}}));
  EXPECT_NE(process.out().find("liveness-needs-database"), std::string::npos);
  EXPECT_EQ(process.out().find("no-retry"), std::string::npos);
}

TEST(StartTest, AnEmptyFlawIsNone) {
  Service storefront("storefront", {"--orders=127.0.0.1:1", "--flaw="});
  EXPECT_TRUE(list_specials(storefront).status.ok());
}

TEST(StartTest, ReflectionListsTheServices) {
  Service orders("orders", {"--inventory=127.0.0.1:1", "--payments=127.0.0.1:1"});
  // ServerReflectionRequest{list_services: "*"}, spelled out: field 7, length 1. A generated client would
  // collide with the server's copy in one process.
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 2s);
  grpc::GenericStub stub(orders.channel);
  grpc::CompletionQueue queue;
  auto stream =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  auto step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  stream->StartCall(nullptr);
  ASSERT_TRUE(step());
  grpc::Slice bytes("\x3a\x01*");
  stream->Write(grpc::ByteBuffer(&bytes, 1), nullptr);
  ASSERT_TRUE(step());
  grpc::ByteBuffer answer;
  stream->Read(&answer, nullptr);
  ASSERT_TRUE(step());
  grpc::Slice whole;
  ASSERT_TRUE(answer.DumpToSingleSlice(&whole).ok());
  std::string text(reinterpret_cast<const char*>(whole.begin()), whole.size());
  for (const char* service : {"shop.v1.OrdersService", "grpc.health.v1.Health"})
    EXPECT_NE(text.find(service), std::string::npos) << service;
  context.TryCancel();
  grpc::Status status;
  stream->Finish(&status, nullptr);
  step();
}

TEST(StartTest, OneCallInTenFailsWithTheFlaw) {
  Service storefront("storefront", {"--orders=127.0.0.1:1", "--flaw=fail-one-in-ten"});
  for (int call = 1; call <= 20; ++call) {
    auto expected = call % 10 == 0 ? grpc::StatusCode::INTERNAL : grpc::StatusCode::OK;
    EXPECT_EQ(list_specials(storefront).status.error_code(), expected) << call;
  }
}

}  // namespace
}  // namespace breakwire::services_test
