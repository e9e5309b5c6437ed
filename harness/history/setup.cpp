#include "harness/history/setup.h"

namespace breakwire::history {
namespace {

template <class Items, class Id>
auto find(const Items& items, const Id& id) -> const typename Items::value_type* {
  for (const auto& item : items) {
    if (item.id == id) return &item;
  }
  return nullptr;
}

}  // namespace

std::string ServiceSetup::health_name(std::string_view probe) const {
  return probe == "liveness" ? liveness : probe == "readiness" ? readiness : "";
}

const ServiceSetup* Setup::service(const ServiceId& id) const { return find(services, id); }
const EdgeSetup* Setup::edge(const EdgeId& id) const { return find(edges, id); }
const LoadSetup* Setup::load(const LoadId& id) const { return find(loads, id); }
const FaultSetup* Setup::fault(const FaultId& id) const { return find(faults, id); }

}  // namespace breakwire::history
