// A scenario's services and edges, up and running: ports reserved, relays between them, everything ready.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "faults/relay/network.h"
#include "faults/relay/port_reservation.h"
#include "harness/run/running_service.h"

namespace breakwire::run {

struct TopologyOptions {
  process::Guard& guard;
  process::PostgresTemplate& postgres;
  std::string bin;      // what `${bin}` stands for
  std::string log_dir;  // logs go to <log_dir>/<service>.log; must exist
  scenario::Lookup environment;
};

/// The destructor ends all of its services.
class Topology {
 public:
  /// Starts nothing yet. `scenario` and `recorder` must outlive it.
  Topology(const scenario::Scenario& scenario, TopologyOptions options, Recorder& recorder);
  ~Topology();
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  /// Returns when every service is ready. Order: databases, then the edges, then all other services at the
  /// same time. Throws SetupError for the first service or edge that cannot be had; what has been started
  /// until then lives on. Returns early, not ready, when `stop` is requested. Once only.
  void start(const std::stop_token& stop);

  relay::Network& network() { return *network_; }
  RunningService& service(const ServiceId& id) { return *services_.at(id); }
  const std::map<ServiceId, std::unique_ptr<RunningService>>& services() const { return services_; }
  const Addresses& addresses() const { return addresses_; }
  const TopologyOptions& options() const { return options_; }
  std::string target_of(const EdgeId& edge) const { return addresses_.edges.at(edge).text(); }
  /// breakwire's own way to a service: a relay that no fault can name.
  std::string control_target_of(const ServiceId& service) const { return control_.at(service); }

  /// A service's own text with its placeholders filled in. Throws SetupError when one has no value.
  std::string filled_in(const scenario::Service& service, const std::string& text) const;

  /// Asks every service to end and waits for as long as each allows; answers those that had to be killed.
  std::vector<ServiceId> stop();

 private:
  void reserve_ports();
  void start_databases(const std::stop_token& stop);
  void open_edges();
  void start_services(const std::stop_token& stop);
  ServiceOptions options_for(const scenario::Service& service);

  const scenario::Scenario& scenario_;
  TopologyOptions options_;
  Recorder& recorder_;
  std::vector<relay::PortReservation> reservations_;
  Addresses addresses_;
  std::map<ServiceId, std::string> control_;
  std::unique_ptr<relay::Network> network_;
  std::map<ServiceId, std::unique_ptr<RunningService>> services_;
};

}  // namespace breakwire::run
