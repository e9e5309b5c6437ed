// What breakwire's relay costs beside what people put between a client and a server anyway: the same gRPC
// client and server, and in turn nothing, HAProxy, nginx, nghttpx or breakwire between them, round by round
// in one run, so that the ratios mean something on a machine that others use too.
//   bench_compare [--rounds=N] [--calls=N] [--only=unary,latency,stream,armed,memory]
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string_view>

#include "bench/idle_connections.h"
#include "bench/load.h"
#include "bench/processes.h"
#include "bench/subjects.h"
#include "bench/table.h"

namespace {

using namespace bench;
using Running = std::vector<std::unique_ptr<Subject>>;

constexpr const char* reference = "haproxy-tcp";
constexpr size_t call_bytes = 64;

struct Options {
  // Many: how the calls share reads is a matter of chance, and makes some rounds several times as cheap.
  int rounds = 31;
  size_t calls = 20'000;
  std::string only = "unary,latency,stream,armed,memory";
  bool wants(std::string_view part) const { return only.find(part) != std::string::npos; }
};

Running start_all(Subjects& subjects, const std::vector<std::string>& names) {
  Running running;
  for (const auto& name : names) {
    if (auto subject = subjects.start(name)) running.push_back(std::move(subject));
  }
  return running;
}

/// Each round begins with another subject.
void in_rounds(int rounds, const Running& running, const std::function<void(size_t)>& measure) {
  for (int round = 0; round < rounds; ++round) {
    for (size_t step = 0; step < running.size(); ++step)
      measure((step + static_cast<size_t>(round)) % running.size());
    std::fprintf(stderr, "round %d of %d\r", round + 1, rounds);
  }
  std::fprintf(stderr, "%20s\r", "");
}

double processor_time(const Subject& subject) {
  return subject.process ? processor_seconds(subject.process->pid()) : 0;
}

std::vector<std::unique_ptr<Load>> connect(const Running& running, size_t connections) {
  std::vector<std::unique_ptr<Load>> loads;
  for (const auto& subject : running) loads.push_back(std::make_unique<Load>(subject->port, connections));
  return loads;
}

void compare_unary(Subjects& subjects, const Options& options, const std::vector<std::string>& names,
                   const std::string& to, size_t in_flight, size_t connections) {
  const auto running = start_all(subjects, names);
  const auto loads = connect(running, connections);
  for (const auto& load : loads) load->calls(options.calls / 5, in_flight, call_bytes);
  Samples cost, rate;
  in_rounds(options.rounds, running, [&](size_t one) {
    const double before = processor_time(*running[one]);
    const double seconds = loads[one]->calls(options.calls, in_flight, call_bytes);
    const auto count = static_cast<double>(options.calls);
    cost.add(running[one]->name, 1e6 * (processor_time(*running[one]) - before) / count);
    rate.add(running[one]->name, count / seconds);
  });
  std::vector<std::vector<std::string>> rows{{"between", "CPU, us/call", "x " + to, "least-most", "calls/s"}};
  for (const auto& subject : running) {
    const auto& name = subject->name;
    const bool compared = subject->process && cost.has(to);
    rows.push_back({name, number(cost.median_of(name), 2), compared ? number(cost.ratio(name, to), 2) : "",
                    compared ? cost.spread(name, to) : "", number(rate.median_of(name), 0)});
  }
  std::printf("Unary calls of %zu bytes, %zu in flight over %zu connections; %d rounds of %zu calls\n\n",
              call_bytes, in_flight, connections, options.rounds, options.calls);
  print_table(rows);
}

void compare_latency(Subjects& subjects, const Options& options, const std::vector<std::string>& names) {
  const auto running = start_all(subjects, names);
  const auto loads = connect(running, 1);
  for (const auto& load : loads) load->one_by_one(200, call_bytes);
  Samples middle, added, tail;
  // In small portions, so that all subjects see the same machine.
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<std::vector<double>> times(running.size());
    in_rounds(10, running, [&](size_t one) {
      for (const double time : loads[one]->one_by_one(100, call_bytes)) times[one].push_back(1e6 * time);
    });
    for (size_t one = 0; one < running.size(); ++one) {
      middle.add(running[one]->name, median(times[one]));
      tail.add(running[one]->name, quantile(times[one], 0.99));
      added.add(running[one]->name, median(times[one]) - median(times[0]));
    }
  }
  std::vector<std::vector<std::string>> rows{
      {"between", "median, us", "added, us", std::string("added, x ") + reference, "least-most", "p99, us"}};
  for (const auto& subject : running) {
    const auto& name = subject->name;
    const bool compared = subject->process && added.has(reference);
    rows.push_back({name, number(middle.median_of(name), 1), number(added.median_of(name), 1),
                    compared ? number(added.ratio(name, reference), 2) : "",
                    compared ? added.spread(name, reference) : "", number(tail.median_of(name), 1)});
  }
  std::printf("Latency of unary calls of %zu bytes, one at a time; %d rounds of 1000 calls\n\n", call_bytes,
              options.rounds);
  print_table(rows);
}

void compare_streams(Subjects& subjects, const Options& options, const std::vector<std::string>& names) {
  constexpr size_t messages = 8 * 1024;
  constexpr double gigabytes = messages * 65536.0 / 1e9;
  const auto running = start_all(subjects, names);
  const auto loads = connect(running, 4);
  for (const auto& load : loads) load->stream(400);
  Samples cost, rate;
  in_rounds(options.rounds, running, [&](size_t one) {
    const double before = processor_time(*running[one]);
    const double seconds = loads[one]->stream(messages);
    cost.add(running[one]->name, (processor_time(*running[one]) - before) / gigabytes);
    rate.add(running[one]->name, 1e3 * gigabytes / seconds);
  });
  std::vector<std::vector<std::string>> rows{{"between", "CPU, s/GB", std::string("x ") + reference,
                                              "least-most", "MB/s", std::string("MB/s, x ") + reference}};
  for (const auto& subject : running) {
    const auto& name = subject->name;
    const bool compared = subject->process && cost.has(reference);
    rows.push_back({name, number(cost.median_of(name), 3),
                    compared ? number(cost.ratio(name, reference), 2) : "",
                    compared ? cost.spread(name, reference) : "", number(rate.median_of(name), 0),
                    compared ? number(rate.ratio(name, reference), 2) : ""});
  }
  std::printf("Server streams of 64 KiB messages, one on each of 4 connections; %d rounds of %.2f GB\n\n",
              options.rounds, gigabytes);
  print_table(rows);
}

void compare_all(const Options& options) {
  breakwire::process::Guard guard;
  Subjects subjects(guard);
  const std::vector<std::string> all{"direct", "haproxy-tcp", "haproxy-h2", "nginx", "nghttpx", "breakwire"};
  if (options.wants("unary")) compare_unary(subjects, options, all, reference, 64, 4);
  if (options.wants("latency")) compare_latency(subjects, options, all);
  if (options.wants("stream")) compare_streams(subjects, options, all);
  if (options.wants("armed"))
    compare_unary(subjects, options, {"breakwire", "breakwire-armed"}, "breakwire", 64, 4);
  if (options.wants("memory")) idle_connections(subjects);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int each = 1; each < argc; ++each) {
    const std::string_view argument = argv[each];
    const auto value = argument.substr(std::min(argument.find('=') + 1, argument.size()));
    if (argument.starts_with("--rounds=")) {
      options.rounds = std::atoi(value.data());
    } else if (argument.starts_with("--calls=")) {
      options.calls = static_cast<size_t>(std::atol(value.data()));
    } else if (argument.starts_with("--only=")) {
      options.only = value;
    } else {
      std::fprintf(
          stderr,
          "usage: bench_compare [--rounds=N] [--calls=N] [--only=unary,latency,stream,armed,memory]\n");
      return 4;
    }
  }
  try {
    compare_all(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_compare: %s\n", error.what());
    return 3;
  }
}
