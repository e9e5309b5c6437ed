// Reads hostile scenario files, and checks what no input may break: an answer always comes, every error has a
// place inside its text and can be shown, and what is accepted is whole. tests/fuzz makes a libFuzzer target
// of it; fuzz_test.cpp runs it over corpus/.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "tests/harness/scenario/files.h"

namespace breakwire::scenario {
namespace {

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void must_be_shown(const Error& error, const Files& files) {
  must(!error.what.empty(), "an error says something");
  must(!render(error).empty(), "an error can be shown");
  const auto file = files.find(error.where.file);
  if (error.where.line == 0) return;
  must(file != files.end(), "an error is in a file that was read");
  must(error.where.offset <= file->second.size(), "an error is inside its file");
}

void must_be_whole(const Scenario& scenario) {
  for (const Edge& edge : scenario.edges)
    must(scenario.service(edge.to) != nullptr, "an edge leads to a service");
  for (const Load& load : scenario.loads) {
    must(scenario.edge(load.via) != nullptr, "a load has its edge");
    must(!load.command.empty() || load.length || load.calls, "a load ends");
  }
  for (const TimelineEntry& entry : scenario.timeline) {
    must(entry.kind != nullptr, "a fault has its kind");
    must(scenario.edge({entry.on}) || scenario.service({entry.on}), "a fault has its place");
  }
  for (const Expectation& expectation : scenario.expect)
    must(expectation.spec.check != nullptr, "a check can be asked");
  must(setup_of(scenario).faults.size() == scenario.timeline.size(), "the setup knows every fault");
}

}  // namespace
}  // namespace breakwire::scenario

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace breakwire::scenario;
  const Files files{{"test.json", std::string(reinterpret_cast<const char*>(data), size)},
                    {"shop.json", "{" + small_shop + "}"},
                    {"again.json", R"({ "include": ["test.json"] })"}};
  const auto read = read_scenarios("test.json", reader(files));
  if (!read) {
    must(!read.errors().empty(), "a refusal says why");
    for (const auto& error : read.errors()) must_be_shown(error, files);
    return 0;
  }
  std::set<std::string> ids;
  for (const Scenario& scenario : *read) {
    must_be_whole(scenario);
    must(ids.insert(scenario.id()).second, "every scenario of a file has an id of its own");
  }
  return 0;
}
