#include "harness/checks/effect.h"
#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

constexpr auto ok = StatusCode::ok;
constexpr auto lost = StatusCode::unavailable;
constexpr auto refused = StatusCode::failed_precondition;
using Row = history::LedgerRead::Row;

struct EffectCase {
  StatusCode code;
  Effect once, repeated;
};
class EffectTest : public testing::TestWithParam<EffectCase> {};

TEST_P(EffectTest, SaysWhatTheCallerMayConclude) {
  EXPECT_EQ(effect_of(GetParam().code, true), GetParam().once);
  EXPECT_EQ(effect_of(GetParam().code, false), GetParam().repeated);
}

INSTANTIATE_TEST_SUITE_P(
    All, EffectTest,
    testing::Values(EffectCase{StatusCode::ok, Effect::happened, Effect::happened},
                    EffectCase{StatusCode::cancelled, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::unknown, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::invalid_argument, Effect::never, Effect::never},
                    EffectCase{StatusCode::deadline_exceeded, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::not_found, Effect::never, Effect::never},
                    EffectCase{StatusCode::already_exists, Effect::never, Effect::uncertain},
                    EffectCase{StatusCode::permission_denied, Effect::never, Effect::never},
                    EffectCase{StatusCode::resource_exhausted, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::failed_precondition, Effect::never, Effect::never},
                    EffectCase{StatusCode::aborted, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::out_of_range, Effect::never, Effect::never},
                    EffectCase{StatusCode::unimplemented, Effect::never, Effect::never},
                    EffectCase{StatusCode::internal, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::unavailable, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::data_loss, Effect::uncertain, Effect::uncertain},
                    EffectCase{StatusCode::unauthenticated, Effect::never, Effect::never}),
    [](const auto& each) { return std::string(to_text(each.param.code)); });

TEST(EffectTest, AServiceMayDeclareFurtherCodesButNotOk) {
  EXPECT_EQ(effect_of(StatusCode::aborted, false, {StatusCode::aborted}), Effect::never);
  EXPECT_EQ(effect_of(StatusCode::already_exists, false, {StatusCode::already_exists}), Effect::never);
  EXPECT_EQ(effect_of(StatusCode::ok, false, {StatusCode::ok}), Effect::happened);
}

/// Calls written one by one; each is issued at 100 ms times its number and over 5 ms later.
class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { b.phase(Phase::baseline); }

  void issue(uint64_t number, const std::string& order, const char* load = "shoppers") {
    b.at(100ms * static_cast<int>(number))
        .add(history::CallIssued{.load = {load},
                                 .number = number,
                                 .call_id = load + ("-" + std::to_string(number)),
                                 .trace_id = HistoryBuilder::trace(number),
                                 .method = "shop.v1.StorefrontService/PlaceOrder",
                                 .deadline = {},
                                 .intended = b.now(),
                                 .fields = {{"order_id", order}}});
  }
  void done(uint64_t number, StatusCode status, const char* load = "shoppers") {
    b.at(100ms * static_cast<int>(number) + 5ms)
        .add(history::CallDone{.load = {load},
                               .number = number,
                               .call_id = load + ("-" + std::to_string(number)),
                               .status = status,
                               .message = "",
                               .intended = b.now(),
                               .issued = b.now(),
                               .deadline = {}});
  }
  void call(uint64_t number, StatusCode status, const std::string& order) {
    issue(number, order);
    done(number, status);
  }
  void call(uint64_t number, StatusCode status) { call(number, status, "o" + std::to_string(number)); }
  /// One attempt of a call, over with `status`.
  void attempt(const char* edge, uint64_t number, StreamId stream, StatusCode status) {
    b.at(100ms * static_cast<int>(number) + 1ms)
        .start(edge, 1, stream, {.method = "m", .trace = number})
        .at(100ms * static_cast<int>(number) + 2ms)
        .end(edge, 1, stream, status);
  }

  CheckResult read(const std::vector<Row>& rows, const std::string& more = "") {
    b.at(8s).add(history::LedgerRead{"ledger", rows, ""});
    return ask(more);
  }
  CheckResult ask(const std::string& more = "") {
    b.at(9s).phase(Phase::teardown);
    return judged(
        R"({"check": "ledger", "load": "shoppers", "key": "order_id", "database": "db", "query": "q")" +
            more + "}",
        b);
  }

  HistoryBuilder b;
};

TEST_F(LedgerTest, AcknowledgedOnceRefusedNotTheRestEitherWay) {
  call(1, ok);
  call(2, refused);
  call(3, lost);
  call(4, StatusCode::deadline_exceeded);
  const auto result = read({{"o1", 1}, {"o4", 1}});
  EXPECT_PASSED(result);
  EXPECT_EQ(
      result.expected,
      "each `order_id` that shoppers had acknowledged exists once in db, none that was refused does, and no "
      "other is there");
  EXPECT_EQ(
      result.actual,
      "1 acknowledged, 0 missing, 0 more than once; 1 refused, 0 ghosts; 2 indeterminate, 1 of them there");
  EXPECT_EQ(result.samples, 2u);
}

TEST_F(LedgerTest, WhatWasAcknowledgedAndIsMissingIsRed) {
  call(1, ok);
  call(2, ok);
  const auto result = read({{"o1", 1}});
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(
      result.actual,
      "2 acknowledged, 1 missing, 0 more than once; 0 refused, 0 ghosts; 0 indeterminate, 0 of them there; "
      "first missing: shoppers-2 (order_id o2, OK at 0.205 s)");
  EXPECT_EQ(numbers(result), (Evidence{5, 6}));
  EXPECT_EQ(read({{"o1", 1}, {"o2", 0}}).verdict, Verdict::failed) << "a count of 0 is no effect";
}

TEST_F(LedgerTest, TwiceIsRedWhateverTheCallerWasTold) {
  call(1, ok);
  EXPECT_EQ(read({{"o1", 2}}).verdict, Verdict::failed);
  call(3, lost);
  const auto result = read({{"o1", 1}, {"o3", 1}, {"o3", 1}});
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(
      result.actual,
      "1 acknowledged, 0 missing, 1 more than once; 0 refused, 0 ghosts; 1 indeterminate, 1 of them there; "
      "first more than once: shoppers-3 (order_id o3, UNAVAILABLE at 0.305 s): 2 times");
}

TEST_F(LedgerTest, AGhostIsRed) {
  call(1, ok);
  call(2, refused);
  const auto result = read({{"o1", 1}, {"o2", 1}});
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_TRUE(
      result.actual.ends_with("first ghost: shoppers-2 (order_id o2, FAILED_PRECONDITION at 0.205 s)"))
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{5, 6}));
}

TEST_F(LedgerTest, AKeyNobodyAskedForIsRedUnlessOthersWriteToo) {
  call(1, ok);
  issue(2, "theirs", "browsers");
  const auto result = read({{"o1", 1}, {"theirs", 1}, {"whose", 1}});
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_TRUE(result.actual.ends_with("; 1 key nobody asked for; first that nobody asked for: whose"))
      << result.actual;
  EXPECT_EQ(numbers(result), Evidence{5});
  EXPECT_PASSED(ask(R"(, "surplus": true)"));
}

TEST_F(LedgerTest, WhatAnotherLoadWasToldOfTheSameKeyAcknowledgesNothing) {
  call(1, ok);
  call(2, refused);
  issue(3, "o2", "browsers");
  done(3, ok, "browsers");
  EXPECT_PASSED(read({{"o1", 1}}));
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}}));
}

TEST_F(LedgerTest, WhatACommandAskedForIsNotKnown) {
  history::Setup setup = HistoryBuilder::shop();
  setup.loads.push_back({.id = {"browsers"}, .via = {"client->storefront"}, .method = "", .deadline = {}});
  b = HistoryBuilder(setup);
  b.phase(Phase::baseline);
  call(1, ok);
  EXPECT_PASSED(read({{"o1", 1}}));
  const auto result = read({{"o1", 1}, {"whose", 1}});
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "what browsers asked for is not known: with `surplus` it need not be");
  EXPECT_TRUE(result.actual.ends_with("; 1 key that only browsers can have asked for")) << result.actual;
  EXPECT_EQ(read({{"whose", 1}}).verdict, Verdict::failed) << "a loss is a loss";
  EXPECT_PASSED(read({{"o1", 1}, {"whose", 1}}, R"(, "surplus": true)"));
}

TEST_F(LedgerTest, DeclaredCodesAreRefusals) {
  call(1, ok);
  call(2, StatusCode::aborted);
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}}));
  EXPECT_EQ(ask(R"(, "definite": ["ABORTED"])").verdict, Verdict::failed);
}

TEST_F(LedgerTest, AlreadyExistsRefusesOnlyWhatWentOutOnce) {
  call(1, ok);
  issue(2, "o2");
  attempt("client->storefront", 2, 1, StatusCode::already_exists);
  attempt("storefront->orders", 2, 1, StatusCode::already_exists);
  done(2, StatusCode::already_exists);
  EXPECT_EQ(read({{"o1", 1}, {"o2", 1}}).verdict, Verdict::failed);
  attempt("storefront->orders", 2, 3, StatusCode::already_exists);  // the storefront had asked before
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}}));
}

TEST_F(LedgerTest, AlreadyExistsProvesNothingBesideCallsThatBelongToNobody) {
  call(1, ok);
  issue(2, "o2");
  attempt("client->storefront", 2, 1, StatusCode::already_exists);
  b.at(203ms).start("storefront->orders", 1, 1);  // carries no trace
  done(2, StatusCode::already_exists);
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}}));
}

TEST_F(LedgerTest, AlreadyExistsProvesNothingWhenTheKeyWasAskedForBefore) {
  call(1, ok);
  call(2, lost, "o2");
  issue(3, "o2");
  attempt("client->storefront", 3, 1, StatusCode::already_exists);
  done(3, StatusCode::already_exists);
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}}));
}

TEST_F(LedgerTest, OneKeyInSeveralCallsIsOneEffect) {
  call(1, lost, "same");
  call(2, ok, "same");
  call(3, refused, "same");
  const auto result = read({{"same", 1}});
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 1u);
  EXPECT_EQ(read({}).verdict, Verdict::failed) << "it was acknowledged";
  EXPECT_EQ(read({{"same", 3}}).verdict, Verdict::failed);
}

TEST_F(LedgerTest, ACodeThatAFaultMadeUpIsNobodysWord) {
  call(1, ok);
  issue(2, "o2");
  b.at(201ms).start("client->storefront", 1, 1, {.method = "m", .trace = 2});
  faults::CallEnded ended;
  ended.edge = {"client->storefront"};
  ended.connection = {1};
  ended.stream = 1;
  ended.how = faults::Ending::ended_by_fault;
  ended.status = refused;
  b.add(ended);
  done(2, refused);
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}}));
  issue(3, "o3");
  b.at(301ms).start("client->storefront", 1, 3, {.method = "m", .trace = 3});
  b.end_as("client->storefront", 1, 3, faults::Ending::ended_by_fault, Http2Error::inadequate_security);
  done(3, StatusCode::permission_denied);
  EXPECT_PASSED(read({{"o1", 1}, {"o2", 1}, {"o3", 1}}));
  issue(4, "o4");
  b.at(401ms).start("client->storefront", 1, 5, {.method = "m", .trace = 4});
  b.end_as("client->storefront", 1, 5, faults::Ending::reset_by_upstream, Http2Error::inadequate_security);
  done(4, StatusCode::permission_denied);
  EXPECT_EQ(read({{"o1", 1}, {"o2", 1}, {"o3", 1}, {"o4", 1}}).verdict, Verdict::failed) << "its own reset";
}

TEST_F(LedgerTest, WhatHadNotEndedWhenItWasReadMayBeThereOrNot) {
  call(1, ok);
  issue(2, "o2");
  b.at(8s).add(history::LedgerRead{"ledger", {{"o1", 1}}, ""});
  b.at(8100ms).add(history::CallDone{.load = {"shoppers"},
                                     .number = 2,
                                     .call_id = "shoppers-2",
                                     .status = ok,
                                     .message = "",
                                     .intended = b.now(),
                                     .issued = b.now(),
                                     .deadline = {}});
  const auto result = ask();
  EXPECT_PASSED(result);
  EXPECT_NE(result.actual.find("1 indeterminate, 0 of them there"), std::string::npos) << result.actual;
}

TEST_F(LedgerTest, AWindowChoosesKeysAndMakesTheOthersNoSurplus) {
  call(1, ok);
  b.at(150ms).arm("f").hit("f").at(190ms).clear("f");
  call(2, ok);
  const auto later = read({{"o1", 5}, {"o2", 1}}, R"(, "after": "f")");
  EXPECT_PASSED(later);
  EXPECT_EQ(later.samples, 1u);
  EXPECT_EQ(ask().verdict, Verdict::failed);
}

TEST_F(LedgerTest, TooFewIndeterminateOnesShowThatNothingWasHitMidway) {
  call(1, ok);
  const auto result = read({{"o1", 1}}, R"(, "indeterminate_at_least": 1)");
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason,
            "only 0 of unknown outcome, at least 1 needed: nothing shows that calls were hit midway");
  call(2, lost);
  EXPECT_PASSED(read({{"o1", 1}}, R"(, "indeterminate_at_least": 1)"));
  EXPECT_EQ(read({}, R"(, "indeterminate_at_least": 5)").verdict, Verdict::failed) << "a loss is a loss";
}

TEST_F(LedgerTest, WithoutAnAnswerThereIsNoVerdict) {
  call(1, ok);
  EXPECT_EQ(ask().reason, "the ledger was not read: the run ended before it could be");
  b.add(history::LedgerRead{"another", {{"o1", 1}}, ""});
  EXPECT_EQ(ask().verdict, Verdict::inconclusive) << "it was read for somebody else";
  b.add(history::LedgerRead{"ledger", {}, "no connection to the database: refused"});
  const auto result = ask();
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "the ledger could not be read: no connection to the database: refused");
}

TEST_F(LedgerTest, WithoutKeysThereIsNoVerdict) {
  EXPECT_EQ(read({}).reason, "no call of shoppers was issued in the window");
  b.at(1s).issue(1);
  EXPECT_EQ(read({}).reason, "no request of shoppers has a top-level field `order_id`");
}

TEST_F(LedgerTest, OnlyIndeterminateOnesProveNothing) {
  call(1, lost);
  EXPECT_EQ(read({{"o1", 1}}).reason, "only 0 samples, 1 needed");
  const auto twice = read({{"o1", 2}});
  EXPECT_EQ(twice.verdict, Verdict::failed) << "twice is wrong all the same";
  EXPECT_EQ(twice.reason, "");
}

}  // namespace
}  // namespace breakwire::checks
