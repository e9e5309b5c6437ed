// How single values are read: what is accepted, what is refused and with which words.
#include <gtest/gtest.h>

#include "base/described.h"

namespace breakwire {
namespace {

template <class T>
std::optional<T> read(const std::string& text, std::string* complaint = nullptr) {
  T value{};
  ErrorList errors;
  const bool good = Codec<T>::read(*json::parse(text, "a.json"), value, errors);
  EXPECT_EQ(good, errors.empty()) << text;
  if (complaint && !errors.empty()) *complaint = errors.front().what;
  return good ? std::optional<T>(value) : std::nullopt;
}

template <class T>
std::string complaint(const std::string& text) {
  std::string what = "(accepted)";
  read<T>(text, &what);
  return what;
}

TEST(ValuesTest, ReadsPercentages) {
  EXPECT_EQ(read<Percent>(R"("10%")"), Percent{10});
  EXPECT_EQ(read<Percent>(R"("99.9%")"), Percent{99.9});
  EXPECT_EQ(read<Percent>(R"("0%")"), Percent{0});
  EXPECT_EQ(read<Percent>(R"("100%")"), Percent{100});
  for (const char* wrong :
       {R"("101%")", R"("-1%")", R"("10")", R"("10 %")", R"("%")", R"("inf%")", R"("nan%")", "10"}) {
    EXPECT_EQ(read<Percent>(wrong), std::nullopt) << wrong;
  }
}

TEST(ValuesTest, ReadsRates) {
  EXPECT_EQ(read<Rate>(R"("50/s")"), Rate{50});
  EXPECT_EQ(read<Rate>(R"("3/m")"), Rate{0.05});
  EXPECT_EQ(read<Rate>(R"("7200/h")"), Rate{2});
  for (const char* wrong : {R"("0/s")", R"("50")", R"("/s")", R"("50/d")", R"("-5/s")", "50"}) {
    EXPECT_EQ(read<Rate>(wrong), std::nullopt) << wrong;
  }
}

TEST(ValuesTest, ReadsSizes) {
  EXPECT_EQ(read<ByteSize>(R"("500B")"), ByteSize{500});
  EXPECT_EQ(read<ByteSize>(R"("64KiB")"), ByteSize{65536});
  EXPECT_EQ(read<ByteSize>(R"("1.5KiB")"), ByteSize{1536});
  EXPECT_EQ(read<ByteSize>(R"("10kB")"), ByteSize{10'000});
  EXPECT_EQ(read<ByteSize>(R"("2MB")"), ByteSize{2'000'000});
  EXPECT_EQ(read<ByteSize>(R"("1GiB")"), ByteSize{1u << 30});
  for (const char* wrong :
       {R"("1")", R"("1KB")", R"("1kb")", R"("0.5B")", R"("1e30GiB")", R"("-1B")", "64"}) {
    EXPECT_EQ(read<ByteSize>(wrong), std::nullopt) << wrong;
  }
}

TEST(ValuesTest, ShowsSizesInTheirLargestUnit) {
  EXPECT_EQ(Codec<ByteSize>::show({65536}), "64KiB");
  EXPECT_EQ(Codec<ByteSize>::show({1u << 20}), "1MiB");
  EXPECT_EQ(Codec<ByteSize>::show({10'000}), "10kB");
  EXPECT_EQ(Codec<ByteSize>::show({500}), "500B");
  EXPECT_EQ(Codec<ByteSize>::show({0}), "0B");
}

TEST(ValuesTest, ReadsCountsOrPercentages) {
  EXPECT_EQ(read<CountOrPercent>("3"), (CountOrPercent{.count = 3, .percent = {}}));
  EXPECT_EQ(read<CountOrPercent>(R"("99%")"), (CountOrPercent{.count = {}, .percent = 99}));
  EXPECT_EQ(to_text(*read<CountOrPercent>(R"("99.5%")")), "99.5%");
  EXPECT_EQ(to_text(*read<CountOrPercent>("3")), "3");
  // What is read replaces a default of the other sort.
  ErrorList errors;
  CountOrPercent by_default{.count = {}, .percent = 5};
  ASSERT_TRUE(Codec<CountOrPercent>::read(*json::parse("0", "test"), by_default, errors));
  EXPECT_EQ(by_default, (CountOrPercent{.count = 0, .percent = {}}));
  EXPECT_EQ(read<CountOrPercent>("-3"), std::nullopt);
  EXPECT_EQ(read<CountOrPercent>("1.5"), std::nullopt);
}

TEST(ValuesTest, ReadsWholeNumbersWithinTheirRange) {
  EXPECT_EQ(read<int>("-2147483648"), std::numeric_limits<int>::min());
  EXPECT_EQ(read<int>("2147483648"), std::nullopt);
  EXPECT_EQ(read<unsigned>("4294967295"), 4294967295u);
  EXPECT_EQ(read<unsigned>("-1"), std::nullopt);
  EXPECT_EQ(read<uint64_t>("9007199254740992"), uint64_t{1} << 53);
  EXPECT_EQ(read<uint64_t>("9007199254740994"), std::nullopt);
  EXPECT_EQ(read<uint64_t>("1.0"), 1u);
  EXPECT_EQ(complaint<int>("1.5"), "`1.5` is not a whole number from -2147483648 to 2147483647");
  EXPECT_EQ(complaint<int>(R"("1")"), "expected a whole number, found a string");
}

TEST(ValuesTest, ReadsTruthsTextsNumbersAndAnything) {
  EXPECT_EQ(read<bool>("true"), true);
  EXPECT_EQ(complaint<bool>("1"), "expected true or false, found a number");
  EXPECT_EQ(read<std::string>(R"("x")"), "x");
  EXPECT_EQ(complaint<std::string>("null"), "expected a string, found null");
  EXPECT_EQ(read<double>("1.5"), 1.5);
  EXPECT_EQ(complaint<double>("[]"), "expected a number, found a list");
  EXPECT_EQ(json::write_line(*read<json::Value>(R"({"a": [1]})")), R"({"a": [1]})");
  EXPECT_EQ(read<EdgeId>(R"("a->b")"), EdgeId{"a->b"});
}

TEST(ValuesTest, ReadsCodesByTheirNames) {
  EXPECT_EQ(read<StatusCode>(R"("DEADLINE_EXCEEDED")"), StatusCode::deadline_exceeded);
  EXPECT_EQ(complaint<StatusCode>("4"), "expected gRPC status code as a string, found a number");
  EXPECT_EQ(read<Http2Error>(R"("REFUSED_STREAM")"), Http2Error::refused_stream);
  EXPECT_EQ(complaint<Http2Error>(R"("REFUSED")"), "unknown HTTP/2 error code `REFUSED`");
}

TEST(ValuesTest, RefusesABareNumberWhereAUnitBelongs) {
  EXPECT_EQ(complaint<Duration>("300"), "a bare number is not a duration");
  EXPECT_EQ(complaint<Rate>("50"), "a bare number is not a rate");
  EXPECT_EQ(complaint<ByteSize>("64"), "a bare number is not a size");
  EXPECT_EQ(complaint<Duration>("true"), "expected a duration, found true or false");
}

TEST(ValuesTest, HasASchemaThatAgreesWithTheParser) {
  EXPECT_EQ(json::write_line(Codec<unsigned>::schema()), R"({"type": "integer", "minimum": 0})");
  EXPECT_EQ(Codec<StatusCode>::schema().find("enum")->items.size(), 17u);
  EXPECT_EQ(json::write_line(Codec<std::vector<bool>>::schema()),
            R"({"type": "array", "items": {"type": "boolean"}})");
}

}  // namespace
}  // namespace breakwire
