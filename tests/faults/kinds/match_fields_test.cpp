// `match` in a file: what each class may use, and what a person reads who used something else.
#include "faults/kinds/names.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

std::optional<Match> match_of(const std::string& kind, const std::string& text) {
  ErrorList errors;
  return read_match(*find_fault_kind(kind), parsed(text), errors);
}

TEST(MatchFieldsTest, ReadsWhatTransportFaultsMatchBy) {
  EXPECT_EQ(match_of("latency", R"({"direction": "response", "connections": "new"})"),
            (Match{.direction = Direction::response, .connections = Connections::fresh}));
  EXPECT_EQ(match_of("stall", R"({"connections": "existing"})"),
            (Match{.connections = Connections::existing}));
}

TEST(MatchFieldsTest, ReadsWhatCallFaultsMatchBy) {
  EXPECT_EQ(match_of("grpc_hang", R"({"method": "shop.v1.Orders/*", "metadata": {"Authorization": "Bearer *"},
                                      "calls": {"percent": "12.5%"}, "attempts": 2,
                                      "stage": "response_message", "message": 3})"),
            (Match{.method = "shop.v1.Orders/*",
                   .metadata = {{"authorization", "Bearer *"}},
                   .calls = {.percent = 12.5},
                   .attempts = 2,
                   .message = 3,
                   .stage = Stage::response_message}));
  EXPECT_EQ(match_of("grpc_status", R"({"calls": {"first": 3}})")->calls, (CallSelection{.first = 3}));
  EXPECT_EQ(match_of("grpc_status", R"({"calls": {"nth": 3}})")->calls, (CallSelection{.nth = 3}));
  EXPECT_EQ(match_of("grpc_status", R"({"calls": {"every": 3}})")->calls, (CallSelection{.every = 3}));
}

TEST(MatchFieldsTest, FillsInTheDefaultsOfTheKind) {
  EXPECT_EQ(match_of("latency", "{}"), Match{});
  EXPECT_EQ(match_of("grpc_hang", "{}")->stage, Stage::headers);
  EXPECT_EQ(match_of("lose_response", "{}")->stage, std::nullopt);
  EXPECT_EQ(match_of("accept_hang", "{}")->connections, Connections::fresh);
  EXPECT_EQ(match_of("grpc_hang", "{}"), default_match(*find_fault_kind("grpc_hang")));
}

TEST(MatchFieldsTest, RefusesAKeyOfAnotherClassAtItsPlaceAndSaysWhatTheKindMatchesBy) {
  EXPECT_EQ(
      match_complaint("latency", R"({ "direction": "request", "method": "a.B/*" })"),
      "error: `latency` cannot match by `method`\n"
      " --> test.json:1:27\n"
      "  |\n"
      "1 | { \"direction\": \"request\", \"method\": \"a.B/*\" }\n"
      "  |                           ^^^^^^^^ `latency` is a transport fault and matches by `direction`, "
      "`connections`\n");
}

struct WrongMatch {
  std::string kind, match, says, hints;
};
class WrongMatchTest : public ::testing::TestWithParam<WrongMatch> {};

TEST_P(WrongMatchTest, IsAnErrorThatSaysWhatAndWhatNext) {
  const std::string text = match_complaint(GetParam().kind, GetParam().match);
  EXPECT_EQ(text.find("error: "), text.rfind("error: ")) << "one mistake, one error:\n" << text;
  EXPECT_NE(text.find("error: " + GetParam().says + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find(GetParam().hints), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongMatchTest,
    ::testing::Values(
        WrongMatch{"grpc_status", R"({"direction": "request"})", "`grpc_status` cannot match by `direction`",
                   "a call fault and matches by `method`, `metadata`, `calls`, `attempts`"},
        WrongMatch{"grpc_status", R"({"stage": "headers"})", "`grpc_status` cannot match by `stage`",
                   "matches by"},
        WrongMatch{"refuse", R"({"connections": "new"})", "`refuse` cannot match by `connections`",
                   "takes no `match`"},
        WrongMatch{"reset", R"({"direction": "request"})", "`reset` cannot match by `direction`",
                   "matches by `connections`"},
        WrongMatch{"kill", R"({"calls": {"first": 1}})", "`kill` cannot match by `calls`",
                   "a process fault and takes no `match`"},
        WrongMatch{"latency", R"({"directoin": "request"})", "unknown key `directoin`",
                   "did you mean `direction`?"},
        WrongMatch{"latency", R"({"direction": "up"})", "unknown direction `up`", "request, response"},
        WrongMatch{"latency", R"({"connections": "fresh"})", "unknown choice of connections `fresh`", ""},
        WrongMatch{"latency", R"("all")", "expected an object, found a string", ""},
        WrongMatch{"grpc_hang", R"({"stage": "header"})", "unknown stage of a call `header`",
                   "did you mean `headers`?"},
        WrongMatch{"grpc_hang", R"({"stage": "header", "message": 1})", "unknown stage of a call `header`",
                   ""},
        WrongMatch{"grpc_hang", R"({"message": 1})", "`message` needs a stage at which there is one",
                   "request_message"},
        WrongMatch{"grpc_status", R"({"method": "/a.B/C"})", "methods are written without a leading `/`",
                   "write \"a.B/C\""},
        WrongMatch{"grpc_status", R"({"method": "PlaceOrder"})", "`PlaceOrder` can match no method",
                   "\"*/PlaceOrder\""},
        WrongMatch{"grpc_status", R"({"attempts": 0})", "`attempts` of 0 matches no call", "first attempt"},
        WrongMatch{"grpc_status", R"({"calls": {}})", "`calls` needs exactly one way to select", "`percent`"},
        WrongMatch{"grpc_status", R"({"calls": {"first": 1, "nth": 2}})",
                   "`calls` needs exactly one way to select", "`percent`"},
        WrongMatch{"grpc_status", R"({"calls": {"nth": 0}})", "no call has the number 0", "from 1"},
        WrongMatch{"grpc_status", R"({"calls": {"every": 0}})", "no call has the number 0", "from 1"},
        WrongMatch{"grpc_status", R"({"calls": {"percent": 10}})",
                   "a bare number is not a percentage from 0% to 100%", "\"10%\""},
        WrongMatch{"grpc_status", R"({"calls": {"percent": "101%"}})",
                   "`101%` is not a percentage from 0% to 100%", "\"10%\""}));

TEST(MatchFieldsTest, ReportsAllErrorsAtOnce) {
  ErrorList errors;
  EXPECT_FALSE(read_match(*find_fault_kind("grpc_status"),
                          parsed(R"({"direction": "request", "methd": "a.B/C", "attempts": "two"})"),
                          errors));
  std::vector<size_t> columns;
  for (const auto& error : errors) columns.push_back(error.where.column);
  EXPECT_EQ(columns, (std::vector<size_t>{2, 26, 56}));
}

TEST(MatchFieldsTest, RefusesAStageAtWhichTheKindCannotAct) {
  FaultKind kind;
  kind.name = "half_way";
  kind.fault_class = FaultClass::call;
  kind.stages = {Stage::request_end, Stage::response_headers};
  kind.matches_by = {"stage"};
  ErrorList errors;
  EXPECT_FALSE(read_match(kind, parsed(R"({"stage": "headers"})"), errors));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].what, "`half_way` cannot act at stage `headers`");
  EXPECT_EQ(read_match(kind, parsed("{}"), errors)->stage, Stage::request_end);
  EXPECT_EQ(json::write_line(*match_schema(kind).find("properties")->find("stage")->find("enum")),
            R"(["request_end", "response_headers"])");
}

TEST(MatchFieldsTest, WantsALengthWhereOnlyNewConnectionsAreMatched) {
  const FaultKind& reset = *find_fault_kind("reset");
  const json::Value written = parsed(R"({"connections": "new"})");
  ErrorList errors;
  EXPECT_FALSE(fits_without_length(reset, *read_match(reset, written, errors), written, errors));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].where.column, 17u);
  EXPECT_EQ(errors[0].hint, "say for how long new connections are to be hit: \"for\": \"500ms\"");

  errors.clear();
  EXPECT_TRUE(fits_without_length(reset, default_match(reset), parsed("{}"), errors));
  const FaultKind& latency = *find_fault_kind("latency");
  EXPECT_TRUE(fits_without_length(latency, Match{.connections = Connections::fresh}, written, errors));
  EXPECT_TRUE(errors.empty());
}

TEST(MatchFieldsTest, ExplainsTheDefaultsOfTheKind) {
  const auto defaults = [](const std::string& kind) {
    std::map<std::string, std::string> all;
    for (const auto& field : match_fields(*find_fault_kind(kind))) all[field.name] = field.default_text;
    return all;
  };
  EXPECT_EQ(defaults("grpc_hang")["stage"], "headers");
  EXPECT_EQ(defaults("latency")["connections"], "all");
  EXPECT_TRUE(match_fields(FaultClass::process).empty());
}

}  // namespace
}  // namespace breakwire::faults
