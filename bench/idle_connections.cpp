#include "bench/idle_connections.h"

#include <sys/resource.h>

#include <cstdio>

#include "bench/load.h"
#include "bench/processes.h"
#include "bench/raw_connections.h"
#include "bench/table.h"

namespace bench {
namespace {

constexpr size_t connections = 1000;

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void idle_connections(Subjects& subjects) {
  raise_descriptor_limit();
  std::vector<std::vector<std::string>> rows{{"between", "KiB per connection"}};
  for (const auto* name :
       {"haproxy-tcp", "haproxy-h2", "nginx", "nghttpx", "breakwire", "breakwire-forgetful"}) {
    const auto subject = subjects.start(name);
    if (!subject) continue;
    Load(subject->port, 4).calls(64, 16, 64);  // what is allocated once is there
    const double before = own_memory(subject->process->pid());
    Load load(subject->port, connections);
    load.calls(connections, connections, 64);
    const double each = (own_memory(subject->process->pid()) - before) / connections;
    rows.push_back({name, number(each / 1024, 1)});
  }
  std::printf("%zu connections, one call made on each, then idle\n\n", connections);
  print_table(rows);

  RawServer server;
  rows = {{"full HPACK tables both ways", "KiB per connection"}};
  for (const auto* name : {"breakwire-forgetful", "breakwire-edited"}) {
    const auto subject = subjects.start(name, server.port());
    FullTables(subject->port, 16);
    const double before = own_memory(subject->process->pid());
    const FullTables tables(subject->port, connections);
    rows.push_back({name, number((own_memory(subject->process->pid()) - before) / connections / 1024, 1)});
  }
  std::printf("%zu connections whose dynamic tables hold as many fields as they can\n\n", connections);
  print_table(rows);
}

}  // namespace bench
