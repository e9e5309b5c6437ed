// The first bytes of a connection, and what they say.
#include "faults/relay/protocol_sniffer.h"

#include <gtest/gtest.h>

namespace breakwire::relay {
namespace {

using faults::Protocol;
using http2::Side;
using namespace std::string_literals;

const auto preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s;
const auto settings_of_one = "\x00\x00\x06\x04\x00\x00\x00\x00\x00"s + "\x00\x03\x00\x00\x00\x64"s;

struct SpokenCase {
  std::string name;
  std::string bytes;
  std::optional<Protocol> protocol;
};
class SpokenTest : public testing::TestWithParam<SpokenCase> {};

TEST_P(SpokenTest, IsToldFromTheFirstBytesAndNeverChangesItsMind) {
  EXPECT_EQ(protocol_spoken(GetParam().bytes), GetParam().protocol);
  std::optional<Protocol> before;
  for (size_t size = 1; size <= GetParam().bytes.size(); ++size) {
    const auto spoken = protocol_spoken(GetParam().bytes.substr(0, size));
    if (before) {
      EXPECT_EQ(spoken, before);
    }
    before = spoken;
  }
}

INSTANTIATE_TEST_SUITE_P(
    FirstBytes, SpokenTest,
    testing::Values(SpokenCase{"nothing", "", std::nullopt}, SpokenCase{"http2", preface, Protocol::http2},
                    SpokenCase{"http2_and_more", preface + settings_of_one, Protocol::http2},
                    SpokenCase{"half_a_preface", preface.substr(0, 23), std::nullopt},
                    SpokenCase{"almost_a_preface", preface.substr(0, 23) + "x", Protocol::tcp},
                    SpokenCase{"http1", "GET / HTTP/1.1\r\n", Protocol::tcp},
                    SpokenCase{"post", "POST", Protocol::tcp},
                    SpokenCase{"postgres", "\x00\x00\x00\x08\x04\xd2\x16\x2f"s, Protocol::tcp},
                    SpokenCase{"tls", "\x16\x03\x01\x02\x00\x01\x00"s, Protocol::tls},
                    SpokenCase{"half_a_tls_record", "\x16\x03\x03"s, std::nullopt},
                    SpokenCase{"tls_server_hello", "\x16\x03\x03\x00\x7a\x02"s, Protocol::tcp}),
    [](const auto& tested) { return tested.param.name; });

TEST(ProtocolSnifferTest, KeepsTheSettingsOfAnHttp2ServerUntilTheClientHasSpoken) {
  ProtocolSniffer sniffer;
  for (const char byte : settings_of_one) sniffer.read(Side::upstream, {&byte, 1});
  EXPECT_EQ(sniffer.protocol(), std::nullopt);
  sniffer.read(Side::downstream, preface);
  EXPECT_EQ(sniffer.protocol(), Protocol::http2);
  EXPECT_EQ(sniffer.take(Side::upstream), settings_of_one);
  EXPECT_EQ(sniffer.take(Side::downstream), preface);
  EXPECT_EQ(sniffer.collected(Side::upstream), 0u);
}

TEST(ProtocolSnifferTest, KnowsAServerFirstProtocolByItsFirstWord) {
  for (const auto& greeting : {"220 smtp\r\n"s, "SSH-2.0-x"s, "\x4a\x00\x00\x00\x0a"s,
                               "\x00\x00\x06\x04\x01"s /* a SETTINGS ACK first */}) {
    ProtocolSniffer sniffer;
    sniffer.read(Side::upstream, greeting);
    EXPECT_EQ(sniffer.protocol(), Protocol::tcp) << greeting;
  }
}

TEST(ProtocolSnifferTest, SettlesForTcpWhenAHalfBegunClientEnds) {
  ProtocolSniffer sniffer;
  sniffer.read(Side::downstream, preface.substr(0, 10));
  sniffer.downstream_ended();
  EXPECT_EQ(sniffer.protocol(), Protocol::tcp);
  ProtocolSniffer silent;
  silent.downstream_ended();
  EXPECT_EQ(silent.protocol(), std::nullopt);  // nobody said anything
}

TEST(Http2OpeningTest, IsDoneWithTheLastByteOfTheSettingsFrame) {
  const auto whole = preface + settings_of_one;
  Http2Opening opening;
  EXPECT_FALSE(opening.half_done());
  for (size_t size = 1; size < whole.size(); ++size) {
    opening.read(whole.substr(size - 1, 1));
    EXPECT_TRUE(opening.half_done()) << size;
  }
  opening.read(whole.substr(whole.size() - 1));
  EXPECT_TRUE(opening.done());
  EXPECT_FALSE(opening.half_done());
}

TEST(Http2OpeningTest, IsNotBegunByAnotherProtocol) {
  Http2Opening opening;
  opening.read("GET /");
  EXPECT_FALSE(opening.half_done());
  EXPECT_FALSE(opening.done());
}

}  // namespace
}  // namespace breakwire::relay
