// docs/architecture.md's arrows and purity, held against every source file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

namespace breakwire {
namespace {

namespace fs = std::filesystem;

struct Room {
  std::string path;                  // folder, or "faults/" for the headers directly in it
  std::vector<std::string> may_use;  // rooms and single headers, besides itself
  bool pure = false;
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> all{
      {"base", {}, true},
      {"faults/kinds", {"base", "faults"}, true},
      {"faults/http2", {"base", "faults"}, true},
      {"faults/relay", {"base", "faults", "faults/http2"}},
      {"faults", {"base"}, true},
      {"harness/history", {"base", "faults"}, true},
      {"harness/checks", {"base", "faults", "faults/kinds/names.h", "harness/history"}, true},
      {"harness/scenario", {"base", "faults", "faults/kinds", "harness/history", "harness/checks"}, true},
      {"harness/process", {"base", "faults/relay/port_reservation.h"}},
      {"harness/load", {"base", "harness/history", "harness/scenario"}},
      {"harness/watch",
       {"base", "harness/history", "harness/load/channel.h", "harness/load/values.h",
        "harness/process/process_tree.h"}},
      {"harness/run",
       {"base", "faults", "faults/kinds", "faults/http2", "faults/relay", "harness/history", "harness/checks",
        "harness/scenario", "harness/process", "harness/load", "harness/watch"}},
      {"reports",
       {"base", "faults", "faults/kinds", "harness/history", "harness/checks", "harness/run/result.h"},
       true},
      {"cli",
       {"base", "faults", "faults/kinds", "harness/checks", "harness/scenario", "harness/run", "reports"}},
      {"services", {"proto"}},
  };
  return all;
}

/// The folder a path from the repository root lies in.
std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// The room with the longest name that holds the path, or nullptr.
const Room* room_of(const std::string& path) {
  const Room* best = nullptr;
  for (const auto& room : rooms()) {
    if (path.starts_with(room.path + "/") && (!best || room.path.size() > best->path.size())) best = &room;
  }
  return best;
}

bool may_include(const Room& room, const std::string& included) {
  if (const Room* other = room_of(included); other == &room) return true;
  for (const auto& allowed : room.may_use) {
    if (included == allowed || folder_of(included) == allowed) return true;
  }
  return false;
}

/// What pure code has no business with.
const std::regex& impure() {
  static const std::regex pattern(
      R"(#include <(boost/asio|grpcpp|sys/|netinet/|unistd|thread|mutex|condition_variable|future|fstream|filesystem|iostream|random|ctime)|(steady_clock|system_clock)::now|getenv|std::rand\b|random_device)");
  return pattern;
}

std::vector<std::string> violations_in(const std::string& path, const std::string& text) {
  static const std::regex include(R"re(^\s*#include\s+"([^"]+)")re");
  std::vector<std::string> found;
  const Room* room = room_of(path);
  if (!room) return found;
  std::istringstream lines(text);
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    const std::string where = path + ":" + std::to_string(number) + ": ";
    std::smatch match;
    if (std::regex_search(line, match, include)) {
      const std::string included = match[1];
      if (included.find('/') == std::string::npos && room->path != "services") {
        found.push_back(where + "includes \"" + included + "\" other than from the repository root");
      } else if (room_of(included) && !may_include(*room, included)) {
        found.push_back(where + room->path + " must not know " + included);
      }
    }
    const std::string code = line.substr(0, line.find("//"));
    if (room->pure && std::regex_search(code, impure()))
      found.push_back(where + room->path + " is pure: " + line);
  }
  return found;
}

bool is_source(const fs::path& path) { return path.extension() == ".h" || path.extension() == ".cpp"; }

TEST(LayeringTest, EveryIncludeFollowsTheArrowsAndPureRoomsArePure) {
  const fs::path root = BREAKWIRE_SOURCE_DIR;
  std::vector<std::string> found;
  size_t files = 0;
  for (const char* top : {"base", "faults", "harness", "reports", "cli", "services"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!is_source(entry.path())) continue;
      ++files;
      std::ifstream file(entry.path());
      const std::string text(std::istreambuf_iterator<char>(file), {});
      for (auto& one : violations_in(fs::relative(entry.path(), root).string(), text))
        found.push_back(std::move(one));
    }
  }
  EXPECT_GT(files, 100u);
  for (const auto& one : found) ADD_FAILURE() << one;
}

TEST(LayeringTest, AnArrowBackIsSeen) {
  EXPECT_EQ(violations_in("base/x.h", "#include \"faults/fault.h\"\n").size(), 1u);
  EXPECT_EQ(violations_in("faults/relay/x.cpp", "#include \"faults/kinds/kind.h\"\n").size(), 1u);
  EXPECT_EQ(violations_in("harness/checks/x.cpp", "#include \"harness/run/result.h\"\n").size(), 1u);
  EXPECT_EQ(violations_in("services/kit/x.cpp", "#include \"base/error.h\"\n").size(), 1u);
  EXPECT_EQ(violations_in("harness/process/x.cpp", "#include \"faults/relay/port_reservation.h\"\n").size(),
            0u);
}

TEST(LayeringTest, AClockOrAThreadInAPureRoomIsSeen) {
  EXPECT_EQ(violations_in("harness/checks/x.cpp", "#include <thread>\n").size(), 1u);
  EXPECT_EQ(violations_in("faults/kinds/x.cpp", "auto t = std::chrono::steady_clock::now();\n").size(), 1u);
  EXPECT_EQ(violations_in("faults/http2/x.cpp", "// not steady_clock::now()\n").size(), 0u);
  EXPECT_EQ(violations_in("harness/run/x.cpp", "#include <thread>\n").size(), 0u);
}

/// The words of fault kinds that the network layer must not know.
TEST(LayeringTest, TheNetworkLayerNamesNoFaultKind) {
  static const std::regex kinds(
      R"re("(latency|bandwidth|stall|blackhole|half_open|accept_hang|refuse|reset|truncate|slice|corrupt|grpc_status|grpc_delay|grpc_hang|lose_response|rst_stream|drop_connection|http_status|missing_trailers|truncate_message|mute_ping|freeze_window|stream_bandwidth|signal|kill|pause|restart|starve_cpu)")re");
  const fs::path root = BREAKWIRE_SOURCE_DIR;
  for (const char* top : {"faults/relay", "faults/http2"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!is_source(entry.path())) continue;
      std::ifstream file(entry.path());
      const std::string text(std::istreambuf_iterator<char>(file), {});
      EXPECT_FALSE(std::regex_search(text, kinds)) << entry.path();
    }
  }
}

}  // namespace
}  // namespace breakwire
