// What the load client itself costs: it must never be the reason that a call is late.
#include <sys/resource.h>

#include "tests/harness/load/load_fixture.h"

namespace breakwire::load {
namespace {

Duration cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class CostTest : public LoadFixture {};

TEST_F(CostTest, EncodingARequestThatVariesTakesFarLessThanACall) {
  const auto request = json::parse(R"({"order_id": "18bd3f2c-93a1-4c1e-9f43-5f0e2b3cf8aa", "quantity": 2,
      "items": [{"sku": "apple", "price": {"currency": "EUR", "cents": 129}}], "labels": {"call": "shoppers-1"}})",
                                   "r.json")
                           .value();
  const int rounds = 2000;
  const Duration before = cpu_time();
  for (int i = 0; i < rounds; ++i) ASSERT_TRUE(method->encode(request));
  const double each_us = to_ms(cpu_time() - before) * 1000 / rounds;
  RecordProperty("encode_us", std::to_string(each_us));
  std::cout << "encode: " << each_us << " us\n";
  EXPECT_LT(each_us, 250);
}

TEST_F(CostTest, TwoThousandCallsASecondStartOnTime) {
  load.rate = {2000};
  load.length = 1s;
  const Duration before = cpu_time();
  const auto running = begin();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1, 30s));
  const Duration spent = cpu_time() - before;
  ASSERT_EQ(issued().size(), 2000U);
  std::vector<Duration> late, took;
  for (const auto& event : sink.events()) {
    if (const auto* call = std::get_if<history::CallIssued>(&event.what))
      late.push_back(event.at - call->intended);
    if (const auto* call = std::get_if<history::CallDone>(&event.what))
      took.push_back(event.at - call->issued);
  }
  std::sort(late.begin(), late.end());
  std::sort(took.begin(), took.end());
  std::cout << "cpu (client and server): " << to_ms(spent) * 1000 / 2000 << " us per call; late p50 "
            << to_text(late[1000]) << " p99 " << to_text(late[1980]) << " (" << running->late_starts()
            << " late); call p50 " << to_text(took[1000]) << " p99 " << to_text(took[1980]) << "\n";
  // On a machine that is busy with other things a few may be late, but the client must keep up.
  EXPECT_LT(late[1000], 50ms);
}

}  // namespace
}  // namespace breakwire::load
