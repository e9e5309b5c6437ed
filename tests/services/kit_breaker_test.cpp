// The circuit breaker as a machine: what it lets through after which history. Times are handed to it.

#include <gtest/gtest.h>

#include "services/kit/breaker.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;
using enum Evidence;
using Millis = std::chrono::milliseconds;

/// Half of at least 4 calls within 1 s; open for 500 ms; a probe may take 2 s. `now` counts from the start.
class MachineTest : public testing::Test {
 protected:
  std::optional<BreakerMachine::Permit> ask(Millis now) { return machine_.ask(start_ + now); }
  void end(const BreakerMachine::Permit& permit, Evidence evidence, Millis now) {
    machine_.end(permit, evidence, start_ + now);
  }
  /// A call that is let through and over at once.
  void call(Evidence evidence, Millis now) {
    auto permit = ask(now);
    ASSERT_TRUE(permit) << "shed at " << now.count();
    end(*permit, evidence, now);
  }
  void calls(int count, Evidence evidence, Millis now) {
    for (int i = 0; i < count; ++i) call(evidence, now);
  }
  void open(Millis now) {
    calls(4, failure, now);
    ASSERT_EQ(machine_.state(), BreakerState::open);
  }
  BreakerMachine::Permit probe(Millis now) {
    auto permit = ask(now);
    EXPECT_TRUE(permit && permit->probe) << "no probe at " << now.count();
    return permit.value_or(BreakerMachine::Permit{});
  }
  bool sheds(Millis now) { return !ask(now); }

  BreakerMachine machine_{{.failure_ratio = 0.5,
                           .minimum_calls = 4,
                           .window = 1000ms,
                           .open_period = 500ms,
                           .probe_patience = 2000ms}};
  const BreakerMachine::Instant start_{1000s};
};

TEST_F(MachineTest, OpensAtTheRatioAndShedsAtOnce) {
  calls(2, success, 0ms);
  call(failure, 10ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed) << "one of three";
  call(failure, 20ms);
  EXPECT_EQ(machine_.state(), BreakerState::open) << "two of four";
  EXPECT_TRUE(sheds(20ms));
  EXPECT_TRUE(sheds(519ms));
}

TEST_F(MachineTest, BelowTheRatioItStaysClosed) {
  for (int i = 0; i < 50; ++i) {
    calls(2, success, 10ms * i);
    call(failure, 10ms * i);
  }
  EXPECT_EQ(machine_.state(), BreakerState::closed);
}

TEST_F(MachineTest, AFewCallsProveNothing) {
  calls(3, failure, 0ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed);
  call(failure, 999ms);
  EXPECT_EQ(machine_.state(), BreakerState::open);
}

TEST_F(MachineTest, WhatIsOlderThanTheWindowDoesNotCount) {
  calls(3, failure, 0ms);
  calls(3, failure, 1000ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed) << "three of three";
  calls(20, success, 2000ms);
  calls(3, failure, 3000ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed) << "three calls are too few, the twenty are gone";
  call(failure, 3000ms);
  EXPECT_EQ(machine_.state(), BreakerState::open);
}

TEST_F(MachineTest, WhatSaysNothingDoesNotCount) {
  calls(20, none, 0ms);
  calls(3, failure, 0ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed);
}

TEST_F(MachineTest, LetsOneProbeThroughAfterTheOpenPeriodAndClosesOnItsSuccess) {
  open(0ms);
  auto permit = probe(500ms);
  EXPECT_EQ(machine_.state(), BreakerState::half_open);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sheds(510ms));
  end(permit, success, 520ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed);
  calls(3, failure, 530ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed) << "it begins anew";
}

TEST_F(MachineTest, AFailedProbeOpensAgainForAnotherPeriod) {
  open(0ms);
  end(probe(700ms), failure, 800ms);
  EXPECT_EQ(machine_.state(), BreakerState::open);
  EXPECT_TRUE(sheds(1299ms));
  end(probe(1300ms), success, 1310ms);
  EXPECT_FALSE(sheds(1310ms));
}

TEST_F(MachineTest, AProbeThatSaysNothingFreesTheSlotForTheNextCall) {
  open(0ms);
  auto cancelled = probe(500ms);
  EXPECT_TRUE(sheds(550ms));
  end(cancelled, none, 600ms);
  EXPECT_EQ(machine_.state(), BreakerState::half_open);
  auto next = probe(600ms);
  EXPECT_TRUE(sheds(600ms)) << "still only one";
  end(next, success, 610ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed);
}

TEST_F(MachineTest, AProbeThatNeverEndsHasFailedAfterAWhile) {
  open(0ms);
  auto lost = probe(500ms);
  EXPECT_TRUE(sheds(2499ms));
  EXPECT_TRUE(sheds(2500ms));
  EXPECT_EQ(machine_.state(), BreakerState::open);
  auto next = probe(3000ms);
  end(lost, success, 3100ms);
  EXPECT_EQ(machine_.state(), BreakerState::half_open) << "its time is over";
  EXPECT_TRUE(sheds(3100ms));
  end(next, success, 3200ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed);
}

TEST_F(MachineTest, ASecondEndingOfAProbeChangesNothing) {
  open(0ms);
  auto permit = probe(500ms);
  end(permit, none, 510ms);
  auto next = probe(520ms);
  end(permit, success, 530ms);
  EXPECT_EQ(machine_.state(), BreakerState::half_open);
  EXPECT_TRUE(sheds(530ms));
  end(next, failure, 540ms);
  EXPECT_EQ(machine_.state(), BreakerState::open);
}

struct LateCase {
  std::string name;
  Evidence evidence;
};
class LateCompletionTest : public MachineTest, public testing::WithParamInterface<LateCase> {};

TEST_P(LateCompletionTest, OfACallFromBeforeTheTripChangesNothing) {
  const Evidence late = GetParam().evidence;
  std::vector<BreakerMachine::Permit> slow;
  for (int i = 0; i < 40; ++i) slow.push_back(*ask(0ms));
  open(10ms);

  for (int i = 0; i < 10; ++i) end(slow[i], late, 20ms);
  EXPECT_EQ(machine_.state(), BreakerState::open);
  EXPECT_TRUE(sheds(509ms)) << "the open period is as long as it was";

  auto permit = probe(510ms);
  for (int i = 10; i < 20; ++i) end(slow[i], late, 520ms);
  EXPECT_EQ(machine_.state(), BreakerState::half_open);
  EXPECT_TRUE(sheds(520ms)) << "the probe's slot is taken";

  end(permit, success, 530ms);
  ASSERT_EQ(machine_.state(), BreakerState::closed);
  for (int i = 20; i < 40; ++i) end(slow[i], late, 540ms);
  calls(3, failure, 550ms);
  EXPECT_EQ(machine_.state(), BreakerState::closed) << "they count neither for nor against";
  call(failure, 550ms);
  EXPECT_EQ(machine_.state(), BreakerState::open);
}

INSTANTIATE_TEST_SUITE_P(All, LateCompletionTest,
                         testing::Values(LateCase{"Success", success}, LateCase{"Failure", failure},
                                         LateCase{"Nothing", none}),
                         [](const auto& each) { return each.param.name; });

struct EvidenceCase {
  std::string name;
  grpc::StatusCode code;
  double used;
  Evidence evidence;
};
class EvidenceTest : public testing::TestWithParam<EvidenceCase> {};

TEST_P(EvidenceTest, IsWhatTheCodeSaysOfTheDependency) {
  EXPECT_EQ(evidence_of(GetParam().code, GetParam().used), GetParam().evidence);
}

INSTANTIATE_TEST_SUITE_P(
    Codes, EvidenceTest,
    testing::Values(EvidenceCase{"Ok", grpc::OK, 0, success},
                    EvidenceCase{"Unavailable", grpc::UNAVAILABLE, 0, failure},
                    EvidenceCase{"DeadlineExceeded", grpc::DEADLINE_EXCEEDED, 1, failure},
                    EvidenceCase{"ResourceExhausted", grpc::RESOURCE_EXHAUSTED, 0, failure},
                    EvidenceCase{"Internal", grpc::INTERNAL, 0, failure},
                    EvidenceCase{"Unknown", grpc::UNKNOWN, 0, failure},
                    EvidenceCase{"DataLoss", grpc::DATA_LOSS, 0, failure},
                    EvidenceCase{"FailedPrecondition", grpc::FAILED_PRECONDITION, 0, success},
                    EvidenceCase{"NotFound", grpc::NOT_FOUND, 0, success},
                    EvidenceCase{"Aborted", grpc::ABORTED, 0, success},
                    EvidenceCase{"InvalidArgument", grpc::INVALID_ARGUMENT, 0, success},
                    EvidenceCase{"CallerWentAwayEarly", grpc::CANCELLED, 0.5, none},
                    EvidenceCase{"CallerGaveUpAtItsDeadline", grpc::CANCELLED, 0.97, failure},
                    EvidenceCase{"CallerWithoutADeadlineWentAway", grpc::CANCELLED, 0, none}),
    [](const auto& each) { return each.param.name; });

/// Opens after one failure, at once ready for a probe.
std::optional<Breaker::Pass> probe_of(Breaker& breaker) {
  breaker.admit()->end(grpc::UNAVAILABLE, 0);
  return breaker.admit();
}
constexpr BreakerOptions eager{.failure_ratio = 0.5, .minimum_calls = 1, .window = 60s, .open_period = 0ms};

Flaws stuck() {
  Flaws flaws;
  flaws.add(Flaw::stuck_half_open);
  return flaws;
}

TEST(BreakerTest, APassThatIsDroppedGivesTheProbesSlotBack) {
  Breaker breaker("inventory", eager, {});
  auto probe = probe_of(breaker);
  ASSERT_TRUE(probe);
  EXPECT_FALSE(breaker.admit());
  probe.reset();
  EXPECT_TRUE(breaker.admit());
}

TEST(BreakerTest, AMovedPassEndsOnce) {
  Breaker breaker("inventory", eager, {});
  auto probe = probe_of(breaker);
  ASSERT_TRUE(probe);
  Breaker::Pass moved(std::move(*probe));
  probe.reset();
  EXPECT_FALSE(breaker.admit()) << "the slot went with it";
  moved.end(grpc::OK, 0);
  EXPECT_TRUE(breaker.admit());
}

TEST(BreakerTest, ShedCallsAreTold) {
  Breaker breaker("inventory", eager, {});
  EXPECT_TRUE(is_shed(breaker.shed()));
  EXPECT_EQ(breaker.shed().error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(breaker.shed().error_message(), "the circuit to inventory is open");
  EXPECT_FALSE(is_shed({grpc::UNAVAILABLE, "the circuit to inventory is open"})) << "somebody else's";
  EXPECT_FALSE(is_shed(grpc::Status::OK));
}

TEST(BreakerTest, StuckHalfOpenLosesTheSlotOfAProbeThatGotNoAnswer) {
  for (auto code : {grpc::DEADLINE_EXCEEDED, grpc::CANCELLED}) {
    Breaker breaker("inventory", eager, stuck());
    auto probe = probe_of(breaker);
    ASSERT_TRUE(probe);
    probe->end(code, 1);
    probe.reset();
    EXPECT_FALSE(breaker.admit());
  }
}

TEST(BreakerTest, StuckHalfOpenStillClosesWhenTheProbeIsAnswered) {
  Breaker breaker("inventory", eager, stuck());
  probe_of(breaker)->end(grpc::OK, 0);
  auto one = breaker.admit();
  EXPECT_TRUE(one && breaker.admit()) << "closed: more than one at a time";
}

}  // namespace
}  // namespace breakwire::kit
