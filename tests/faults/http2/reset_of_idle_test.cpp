// RST_STREAM on a stream that its client never opened: docs/decisions/0003.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

TEST(ResetOfIdleTest, IsTheUpstreamsToJudge) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.client(Wire::reset(3, Http2Error::cancel));  // C-core, cancelled before its HEADERS were written
  EXPECT_EQ(wire.to_server(), Wire::reset(3, Http2Error::cancel));
  EXPECT_FALSE(wire.session.demand());
  wire.client(Wire::request(5, true));
  EXPECT_EQ(parse_frame_header(bytes_of(wire.to_server()).data()).stream, 5u);
  EXPECT_TRUE(wire.seen<faults::CallEnded>().empty()) << "there was no such call";
}

TEST(ResetOfIdleTest, IsAbsorbedWhereIdsDiffer) {
  Wire wire;
  wire.begin();
  wire.fault(faults::Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.host.rule = {};
  wire.client(Wire::request(3, true));
  wire.clear("hang");  // 1 leaves behind 3, as 5
  wire.to_server();
  wire.client(Wire::reset(5, Http2Error::cancel));
  EXPECT_EQ(wire.to_server(), "") << "5 is another call there";
  wire.client(Wire::request(7, true));
  EXPECT_EQ(parse_frame_header(bytes_of(wire.to_server()).data()).stream, 7u);
}

}  // namespace
}  // namespace breakwire::http2::testing
