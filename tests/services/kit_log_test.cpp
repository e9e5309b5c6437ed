// The line per call, and the writer that never makes a call wait.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "services/kit/call_log.h"
#include "services/kit/line_writer.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;

CallRecord record() {
  return {.side = Side::server,
          .began = std::chrono::system_clock::time_point(1714564800123ms),
          .method = "shop.v1.OrdersService/CreateOrder",
          .peer = "ipv4:127.0.0.1:4242",
          .code = 9,
          .message = "not enough of \"durian\"",
          .duration = 1250us,
          .deadline_left = 800ms,
          .attempt = 2,
          .span = {.trace_id = "t", .span_id = "s", .parent_id = "p"}};
}

TEST(CallLogTest, ALineSaysWhatHappened) {
  EXPECT_EQ(
      to_json_line("orders", record()),
      R"({"ts":"2024-05-01T12:00:00.123Z","service":"orders","side":"server",)"
      R"("method":"shop.v1.OrdersService/CreateOrder","peer":"ipv4:127.0.0.1:4242","code":"FAILED_PRECONDITION",)"
      R"("message":"not enough of \"durian\"","duration_ms":1.25,"deadline_left_ms":800,"attempt":2,)"
      R"("trace_id":"t","span_id":"s","parent_id":"p"})");
}

TEST(CallLogTest, WhatThereIsNotIsLeftOut) {
  auto bare = record();
  bare.message = "";
  bare.deadline_left.reset();
  bare.attempt.reset();
  bare.span.parent_id = "";
  auto line = nlohmann::json::parse(to_json_line("orders", bare));
  EXPECT_FALSE(line.contains("message"));
  EXPECT_FALSE(line.contains("deadline_left_ms"));
  EXPECT_FALSE(line.contains("attempt"));
  EXPECT_FALSE(line.contains("parent_id"));
}

TEST(CallLogTest, StaysOneLineOfJsonWhateverTheMessage) {
  auto odd = record();
  odd.message = "two\nlines, a \xff byte and a \x01";
  auto text = to_json_line("orders", odd);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(CallLogTest, CodesGoByName) {
  EXPECT_EQ(code_name(0), "OK");
  EXPECT_EQ(code_name(14), "UNAVAILABLE");
  EXPECT_EQ(code_name(16), "UNAUTHENTICATED");
  EXPECT_EQ(code_name(17), "17");
  EXPECT_EQ(code_name(-1), "-1");
}

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends), 0); }
  ~Pipe() {
    for (int fd : ends) ::close(fd);
  }
  /// Until it takes no more.
  void fill() {
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    std::string some(4096, '-');
    while (::write(ends[1], some.data(), some.size()) > 0) {
    }
    ::fcntl(ends[1], F_SETFL, 0);
  }
  std::string read_all() {
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string text(1 << 20, ' ');
    auto size = ::read(ends[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }
  int ends[2];
};

TEST(LineWriterTest, WritesEveryLineInOrderBeforeItGoes) {
  Pipe pipe;
  {
    LineWriter writer(pipe.ends[1]);
    for (int i = 0; i < 3; ++i) writer.write(std::to_string(i));
  }
  EXPECT_EQ(pipe.read_all(), "0\n1\n2\n");
}

TEST(LineWriterTest, AReaderThatStoppedCostsLinesAndNotTime) {
  Pipe pipe;
  pipe.fill();
  auto began = std::chrono::steady_clock::now();
  {
    LineWriter writer(pipe.ends[1], 10);
    for (int i = 0; i < 1000; ++i) writer.write("x");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 500ms);
    EXPECT_GT(writer.dropped(), 900U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);  // nor does it hold up the exit
}

TEST(LineWriterTest, TellsHowManyItDroppedAsSoonAsThereIsRoom) {
  Pipe pipe;
  pipe.fill();
  std::string seen;
  {
    LineWriter writer(pipe.ends[1], 10);
    for (int i = 0; i < 1000; ++i) writer.write("x");
    ASSERT_GT(writer.dropped(), 0U);
    auto deadline = std::chrono::steady_clock::now() + 5s;
    while (seen.find("log_lines_dropped") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline) {
      seen += pipe.read_all();
    }
  }
  EXPECT_NE(seen.find(R"({"event":"log_lines_dropped","count":)"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::kit
