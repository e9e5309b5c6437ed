// A service's log: its lines as records of calls, and files that grow, are cut off and are renamed.
#include "harness/watch/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "harness/watch/file_tail.h"
#include "tests/harness/load/recording_sink.h"

namespace breakwire::watch {
namespace {

namespace fs = std::filesystem;
using history::LogSeen;

constexpr const char* trace = "0af7651916cd43dd8448eb211c80319c";

LogSeen record(const std::string& line, const LogFields& fields = {}) {
  const LogLine read = read_log_line(line, fields);
  EXPECT_TRUE(read.record.has_value()) << line;
  return read.record.value_or(LogSeen{});
}

TEST(LogLineTest, TellsOfACallByTheDefaultNames) {
  const auto seen =
      record(std::string(R"({"method":"/shop.v1.Orders/Get","code":"NOT_FOUND","duration_ms":1.25,)") +
             R"("trace_id":")" + trace + R"("})");
  EXPECT_EQ(seen.method, "shop.v1.Orders/Get");
  EXPECT_EQ(seen.code, "NOT_FOUND");
  EXPECT_EQ(seen.status, StatusCode::not_found);
  EXPECT_EQ(seen.duration, 1250us);
  EXPECT_EQ(seen.trace_id, trace);
}

TEST(LogLineTest, FollowsAnybodysNamesIntoObjectsAndAcrossDots) {
  const LogFields fields{.only = {{"msg", "finished call"}, {"grpc.component", "server"}},
                         .service = "grpc.service",
                         .method = "grpc.method",
                         .code = "grpc.code",
                         .duration_s = "took",
                         .trace_id = "trace.id"};
  const auto seen = record(
      R"({"msg":"finished call","grpc.component":"server","grpc":{"service":"a.B","method":"C","code":4},)"
      R"("took":"0.5","trace":{"id":"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"}})",
      fields);
  EXPECT_EQ(seen.method, "a.B/C");
  EXPECT_EQ(seen.status, StatusCode::deadline_exceeded);
  EXPECT_EQ(seen.duration, 500ms);
  EXPECT_EQ(seen.trace_id, trace);
}

TEST(LogLineTest, LinesOfOtherThingsAreNoRecords) {
  const LogFields server{.only = {{"side", "server"}}};
  EXPECT_FALSE(read_log_line("orders: serving on 127.0.0.1:1", server).json);
  EXPECT_FALSE(read_log_line("[1]", server).json);
  EXPECT_FALSE(read_log_line("", server).json);
  for (const char* line : {R"({"side":"server"})", R"({"side":"client","method":"a/B"})",
                           R"({"method":"a/B"})", R"({"side":null,"method":"a/B"})"}) {
    const LogLine read = read_log_line(line, server);
    EXPECT_TRUE(read.json) << line;
    EXPECT_FALSE(read.record) << line;
  }
}

TEST(LogLineTest, WhatIsMissingOrNonsenseStaysEmpty) {
  const auto bare = record(R"({"method":"a/B"})");
  EXPECT_EQ(bare.code, "");
  EXPECT_FALSE(bare.status || bare.duration);
  EXPECT_EQ(bare.trace_id, "");
  const auto odd = record(R"({"method":"a/B","code":"FINE","duration_ms":"soon","trace_id":"00000000"})");
  EXPECT_EQ(odd.code, "FINE");
  EXPECT_FALSE(odd.status || odd.duration);
  EXPECT_EQ(odd.trace_id, "");
  EXPECT_FALSE(record(R"({"method":"a/B","duration_ms":1e300})").duration);
  EXPECT_FALSE(record(R"({"method":"a/B","duration_ms":true})").duration);
}

TEST(LogLineTest, DurationsMayCarryTheirUnit) {
  EXPECT_EQ(record(R"({"method":"a/B","duration_ms":"1.5ms"})").duration, 1500us);
  EXPECT_EQ(record(R"({"method":"a/B","duration_ms":"2s"})").duration, 2s);
  EXPECT_EQ(record(R"({"method":"a/B","duration_ms":"250µs"})").duration, 250us);
}

TEST(LogLineTest, CodesGoByNameInAnySpellingAndByNumber) {
  for (const char* text :
       {"DEADLINE_EXCEEDED", "DeadlineExceeded", "deadline exceeded", "4", "StatusCode.DEADLINE_EXCEEDED"})
    EXPECT_EQ(status_in_any_spelling(text), StatusCode::deadline_exceeded) << text;
  for (const char* text : {"CANCELLED", "Canceled", "1"})
    EXPECT_EQ(status_in_any_spelling(text), StatusCode::cancelled) << text;
  EXPECT_EQ(status_in_any_spelling("0"), StatusCode::ok);
  EXPECT_EQ(status_in_any_spelling("OK"), StatusCode::ok);
  for (const char* text : {"", "200", "-1", "FINE", "4x"})
    EXPECT_EQ(status_in_any_spelling(text), std::nullopt) << text;
}

TEST(LogLineTest, SlipsInALineBreakNothing) {
  const std::string right =
      std::string(
          R"({"side":"server","method":"a.B/C","code":"OK","grpc":{"x":[1,2]},"duration_ms":1.5,"trace_id":")") +
      trace + "\"}";
  const LogFields fields{.only = {{"side", "server"}}, .service = "grpc.x", .code = "grpc.code"};
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    std::string line = right;
    for (uint64_t slip = 1 + rng.next() % 3; slip > 0 && !line.empty(); --slip) {
      const size_t at = rng.next() % line.size();
      switch (rng.next() % 3) {
        case 0:
          line.erase(at, rng.next() % 8);
          break;
        case 1:
          line[at] = static_cast<char>(rng.next());
          break;
        default:
          line.insert(at, line.substr(rng.next() % line.size(), rng.next() % 8));
      }
    }
    const LogLine read = read_log_line(line, fields);
    if (read.record) {
      EXPECT_TRUE(read.json);
      EXPECT_FALSE(read.record->method.empty());
    }
  }
}

/// A folder of its own, gone with the test.
struct Folder {
  Folder() {
    std::string name = fs::temp_directory_path() / "breakwire-watch-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name = "log") const { return path / name; }
  void add(const std::string& text, const std::string& name = "log") const {
    std::ofstream(file(name), std::ios::app | std::ios::binary) << text;
  }
  fs::path path;
};

std::vector<std::string> read_all(FileTail& tail) {
  std::vector<std::string> lines;
  tail.read([&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}
using Lines = std::vector<std::string>;

TEST(FileTailTest, HandsOverWhatIsAddedFromNowOnAsWholeLines) {
  const Folder folder;
  folder.add("old\n");
  FileTail tail(folder.file(), 100);
  EXPECT_EQ(read_all(tail), Lines{});
  folder.add("a\nb\r\nc");
  EXPECT_EQ(read_all(tail), (Lines{"a", "b"}));
  EXPECT_EQ(read_all(tail), Lines{});
  folder.add("d\n\n");
  EXPECT_EQ(read_all(tail), (Lines{"cd", ""}));
}

TEST(FileTailTest, WaitsForAFileThatIsNotThereYet) {
  const Folder folder;
  FileTail tail(folder.file(), 100);
  EXPECT_EQ(read_all(tail), Lines{});
  folder.add("first\n");
  EXPECT_EQ(read_all(tail), Lines{"first"});
}

TEST(FileTailTest, SurvivesTruncation) {
  const Folder folder;
  FileTail tail(folder.file(), 100);
  folder.add("one line\nhalf");
  EXPECT_EQ(read_all(tail), Lines{"one line"});
  fs::resize_file(folder.file(), 0);
  folder.add("new\n");
  EXPECT_EQ(read_all(tail), Lines{"new"});
}

TEST(FileTailTest, SurvivesRotationAndLosesNothing) {
  const Folder folder;
  FileTail tail(folder.file(), 100);
  folder.add("a\n");
  EXPECT_EQ(read_all(tail), Lines{"a"});
  folder.add("b\n");
  fs::rename(folder.file(), folder.file("log.1"));
  folder.add("c\n", "log.1");  // its writer has not opened the new file yet
  EXPECT_EQ(read_all(tail), (Lines{"b", "c"}));
  folder.add("d\n", "log.1");
  folder.add("e\n");
  EXPECT_EQ(read_all(tail), (Lines{"d", "e"}));
  folder.add("f\n");
  EXPECT_EQ(read_all(tail), Lines{"f"});
}

TEST(FileTailTest, SkipsLinesThatAreTooLongAndGoesOn) {
  const Folder folder;
  FileTail tail(folder.file(), 10);
  folder.add("0123456789\n");
  EXPECT_EQ(read_all(tail), Lines{"0123456789"});
  folder.add(std::string(200'000, 'x'));
  EXPECT_EQ(read_all(tail), Lines{});
  EXPECT_EQ(tail.overlong(), 1u);
  folder.add("xxx\nshort\n");
  EXPECT_EQ(read_all(tail), Lines{"short"});
  EXPECT_EQ(tail.overlong(), 1u);
}

const std::string server_line =
    R"({"side":"server","method":"a.B/C","code":"OK","duration_ms":1,"trace_id":"t"})";

LogOptions options_for(const Folder& folder) {
  return {.service = {"orders"},
          .path = folder.file(),
          .fields = {.only = {{"side", "server"}}},
          .period = 5ms,
          .quiet = 50ms};
}

void catch_up(Watcher& watcher, Duration within) {
  const Instant now = std::chrono::steady_clock::now();
  watcher.catch_up(now, now + within);
}

TEST(LogFollowerTest, RecordsTheRecordsAmongTheLines) {
  const Folder folder;
  RecordingSink sink;
  const auto follower = follow_log(options_for(folder), sink);
  folder.add("orders: serving\n{\"side\":\"client\",\"method\":\"x/Y\"}\n" + server_line + "\n");
  ASSERT_TRUE(sink.wait_for_count<LogSeen>(1));
  folder.add(server_line + "\n");
  ASSERT_TRUE(sink.wait_for_count<LogSeen>(2));
  catch_up(*follower, 10s);
  EXPECT_EQ(sink.events().size(), 2u);
  EXPECT_EQ(sink.all<LogSeen>()[0].service.text, "orders");
  EXPECT_EQ(sink.all<LogSeen>()[0].method, "a.B/C");
  EXPECT_EQ(follower->note(), "");
}

TEST(LogFollowerTest, CatchesUpWithWhatWasWrittenBefore) {
  const Folder folder;
  RecordingSink sink;
  auto options = options_for(folder);
  options.period = 30ms;
  const auto follower = follow_log(options, sink);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += server_line + "\n";
  folder.add(many);
  catch_up(*follower, 10s);
  EXPECT_EQ(sink.events().size(), 2000u);
}

TEST(LogFollowerTest, CatchingUpIsBoundedWhateverComes) {
  const Folder folder;
  RecordingSink sink;
  auto options = options_for(folder);
  options.quiet = 1h;
  const auto follower = follow_log(options, sink);
  const Instant before = std::chrono::steady_clock::now();
  catch_up(*follower, 60ms);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST(LogFollowerTest, SaysWhenNoLineToldOfACall) {
  const Folder folder;
  RecordingSink sink;
  auto options = options_for(folder);
  options.longest_line = 100;
  const auto follower = follow_log(options, sink);
  folder.add("orders: serving\n{\"side\":\"client\"}\n" + std::string(101, 'x') + "\n");
  catch_up(*follower, 10s);
  EXPECT_EQ(follower->note(),
            "log of orders: none of its 2 lines told of a call; 1 were no JSON objects; 1 were too long (" +
                folder.file() + ")");
}

}  // namespace
}  // namespace breakwire::watch
