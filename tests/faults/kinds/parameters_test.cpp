// Wrong parameters: what the user reads. Golden text, caret included.
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(ParametersTest, ABareNumberIsNoDuration) {
  EXPECT_EQ(complaint("latency", R"({ "delay": 300 })"),
            "error: a bare number is not a duration\n"
            " --> test.json:1:12\n"
            "  |\n"
            "1 | { \"delay\": 300 }\n"
            "  |            ^^^ durations are text with a unit: \"250ms\", \"1.5s\", \"2m\"\n");
}

TEST(ParametersTest, AnUnknownKeyIsNamedWithTheOneThatWasMeantAndTheMissingOneToo) {
  EXPECT_EQ(complaint("latency", "{\n  \"dealy\": \"300ms\"\n}"),
            "error: unknown key `dealy`\n"
            " --> test.json:2:3\n"
            "  |\n"
            "2 |   \"dealy\": \"300ms\"\n"
            "  |   ^^^^^^^ did you mean `delay`?\n"
            "error: `delay` is missing\n"
            " --> test.json:1:1\n"
            "  |\n"
            "1 | {\n"
            "  | ^ How much later every byte arrives, per direction.\n");
}

TEST(ParametersTest, AMisspelledCodeIsNamedWithTheOneThatWasMeant) {
  EXPECT_EQ(complaint("grpc_status", R"({ "code": "UNAVAILABEL" })"),
            "error: unknown gRPC status code `UNAVAILABEL`\n"
            " --> test.json:1:11\n"
            "  |\n"
            "1 | { \"code\": \"UNAVAILABEL\" }\n"
            "  |           ^^^^^^^^^^^^^ did you mean `UNAVAILABLE`?\n");
}

struct WrongCase {
  std::string kind, with, says, hints;
};
class WrongParameterTest : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongParameterTest, IsAnErrorThatSaysWhatAndWhatNext) {
  const std::string text = complaint(GetParam().kind, GetParam().with);
  EXPECT_NE(text.find("error: " + GetParam().says + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find(GetParam().hints), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongParameterTest,
    ::testing::Values(
        WrongCase{"latency", R"({"delay": "300"})", "`300` is not a duration", "text with a unit"},
        WrongCase{"latency", R"({"delay": "-1s"})", "`-1s` is not a duration", "text with a unit"},
        WrongCase{"latency", "[]", "expected an object, found a list", ""},
        WrongCase{"stall", R"({"delay": "1s"})", "unknown key `delay`", ""},
        WrongCase{"accept_hang", R"({"then": "closed"})", "unknown ending `closed`", "did you mean `close`?"},
        WrongCase{"close", R"({"delay": "1s", "bytes": "1KiB"})", "`close` counts time or bytes, not both",
                  "remove one"},
        WrongCase{"close", R"({"bytes": 100})", "a bare number is not a size", ""},
        WrongCase{"grpc_delay", R"({"jitter": "1s"})", "`delay` is missing", ""},
        WrongCase{"rst_stream", "{}", "`code` is missing", "REFUSED_STREAM"},
        WrongCase{"rst_stream", R"({"code": "CANCELLED"})", "unknown HTTP/2 error code `CANCELLED`",
                  "did you mean `CANCEL`?"},
        WrongCase{"drop_connection", R"({"by": "rest"})", "unknown way to drop a connection `rest`",
                  "did you mean `reset`?"},
        WrongCase{"lose_response", R"({"then": "rest"})", "unknown outcome `rest`", "did you mean `reset`?"},
        WrongCase{"signal", "{}", "`signal` is missing", "by its name"},
        WrongCase{"signal", R"({"signal": "TERM"})", "unknown signal `TERM`", "SIGTERM"},
        WrongCase{"signal", R"({"signal": 15})", "expected signal as a string, found a number", ""},
        WrongCase{"restart", "{}", "`down` is missing", ""},
        WrongCase{"restart", R"({"down": "1s", "signal": "SIGHUP"})", "unknown stop signal `SIGHUP`", ""},
        WrongCase{"grpc_status", R"({"code": 14})", "expected gRPC status code as a string, found a number",
                  ""},
        WrongCase{"grpc_status", R"({"code": "OK", "metadata": {"Retry": "1"}})",
                  "`Retry` is not a metadata key", "lower case"},
        WrongCase{"grpc_status", R"({"code": "OK", "metadata": {":status": "1"}})",
                  "`:status` is not a metadata key", "keys are of"},
        WrongCase{"grpc_status", R"({"code": "OK", "metadata": {"grpc-status": "1"}})",
                  "`grpc-status` is set by `code` and `message`", ""},
        WrongCase{"grpc_status", R"({"code": "OK", "metadata": {"why": "\u00e4"}})",
                  "metadata values are printable ASCII", "base64"}));

}  // namespace
}  // namespace breakwire::faults
