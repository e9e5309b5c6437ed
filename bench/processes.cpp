#include "bench/processes.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "harness/process/process_tree.h"

namespace bench {
namespace {

template <class Measure>
double over_family(pid_t pid, Measure measure) {
  double sum = measure(pid);
  for (const auto& member : breakwire::process::descendants_of(pid)) sum += measure(member.pid);
  return sum;
}

}  // namespace

double processor_seconds(pid_t pid) {
  return over_family(pid, [](pid_t member) {
    double seconds = 0;
    std::error_code gone;
    const auto tasks = "/proc/" + std::to_string(member) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
      std::ifstream file(task.path() / "schedstat");
      double nanoseconds = 0;
      if (file >> nanoseconds) seconds += nanoseconds * 1e-9;
    }
    return seconds;
  });
}

double own_memory(pid_t pid) {
  return over_family(pid, [](pid_t member) {
    std::ifstream file("/proc/" + std::to_string(member) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name;
      double kib = 0;
      if (words >> name >> kib && name == "Private_Dirty:") return kib * 1024;
    }
    return 0.0;
  });
}

}  // namespace bench
