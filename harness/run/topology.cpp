#include "harness/run/topology.h"

#include <mutex>
#include <thread>

#include "harness/process/tcp_readiness.h"

namespace breakwire::run {
namespace {

using scenario::External;
using scenario::PostgresService;
using scenario::RunCommand;

/// Runs `start` for all of them at the same time. When one fails the others are not waited for; throws what
/// it threw.
void start_all(const std::vector<RunningService*>& services, const std::stop_token& stop) {
  std::stop_source all;
  const std::stop_callback forward(stop, [&] { all.request_stop(); });
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::jthread> starting;
  for (auto* service : services) {
    starting.emplace_back([&, service] {
      try {
        service->start(all.get_token());
      } catch (...) {
        {
          const std::lock_guard lock(mutex);
          if (!first) first = std::current_exception();
        }
        all.request_stop();
      }
    });
  }
  starting.clear();  // joins
  if (first) std::rethrow_exception(first);
}

void require_reachable(const scenario::Service& service, const External& external,
                       const std::stop_token& stop) {
  const auto result = process::wait_until_connectable(external.host, external.port,
                                                      std::chrono::steady_clock::now() + 3s, stop);
  if (result.outcome != process::Connectable::deadline_passed) return;
  throw SetupError(json::error_at(service.span,
                                  "external service `" + service.id.text + "` cannot be reached at " +
                                      external.host + ":" + std::to_string(external.port) + " (" +
                                      result.last_error + ")",
                                  "start it first, or correct its address"));
}

}  // namespace

Topology::Topology(const scenario::Scenario& scenario, TopologyOptions options, Recorder& recorder)
    : scenario_(scenario),
      options_(std::move(options)),
      recorder_(recorder),
      network_(std::make_unique<relay::Network>(recorder)) {}

void Topology::start(const std::stop_token& stop) {
  reserve_ports();
  start_databases(stop);
  if (stop.stop_requested()) return;
  open_edges();
  start_services(stop);
}

Topology::~Topology() = default;

ServiceOptions Topology::options_for(const scenario::Service& service) {
  const auto control = control_.find(service.id);
  return {.service = service,
          .guard = options_.guard,
          .postgres = options_.postgres,
          .recorder = recorder_,
          .addresses = addresses_,
          .bin = options_.bin,
          .environment = options_.environment,
          .health_target = control == control_.end() ? "" : control->second,
          .log_path = options_.log_dir + "/" + service.id.text + ".log"};
}

void Topology::reserve_ports() {
  for (const auto& service : scenario_.services) {
    const auto* run = std::get_if<RunCommand>(&service.what);
    if (!run) continue;
    auto ports = run->ports;
    ports.try_emplace("grpc", std::nullopt);
    for (const auto& [name, number] : ports) {
      try {
        reservations_.push_back(number ? relay::PortReservation(*number) : relay::PortReservation());
      } catch (const std::runtime_error& error) {
        throw SetupError(json::error_at(service.span, "port `" + name + "` of service `" + service.id.text +
                                                          "` cannot be had: " + error.what()));
      }
      addresses_.ports[service.id][name] = reservations_.back().port();
    }
  }
}

void Topology::start_databases(const std::stop_token& stop) {
  std::vector<RunningService*> databases;
  for (const auto& service : scenario_.services) {
    if (!std::holds_alternative<PostgresService>(service.what)) continue;
    auto database = make_database_service(options_for(service));
    databases.push_back(database.get());
    services_[service.id] = std::move(database);
  }
  start_all(databases, stop);
}

void Topology::open_edges() {
  const auto open = [&](const EdgeId& id, const scenario::Service& to, const std::string& port,
                        relay::TcpAddress listen, bool tcp, const std::string& correlation_key,
                        const json::Span& span) {
    relay::Address upstream;
    if (const auto* external = std::get_if<External>(&to.what)) {
      upstream = relay::TcpAddress{.host = external->host, .port = external->port};
    } else if (std::holds_alternative<PostgresService>(to.what)) {
      upstream =
          relay::UnixAddress{.path = dynamic_cast<DatabaseService&>(*services_.at(to.id)).socket_path()};
    } else {
      upstream = relay::TcpAddress{.port = addresses_.ports.at(to.id).at(port)};
    }
    try {
      return network_->open({.id = id,
                             .listen = std::move(listen),
                             .upstream = std::move(upstream),
                             .protocol = tcp ? relay::EdgeProtocol::tcp : relay::EdgeProtocol::detect,
                             .correlation_key = correlation_key});
    } catch (const std::runtime_error& error) {
      throw SetupError(json::error_at(span, "edge `" + id.text + "` cannot listen: " + error.what(),
                                      "leave `listen` out to use any free port"));
    }
  };
  for (const auto& edge : scenario_.edges) {
    const auto& to = *scenario_.service(edge.to);
    relay::TcpAddress listen;
    if (edge.listen) listen = {.host = edge.listen->first, .port = edge.listen->second};
    const auto at = open(edge.id, to, edge.port, std::move(listen),
                         edge.protocol == scenario::EdgeProtocol::tcp, edge.correlate.key, edge.span);
    addresses_.edges[edge.id] = {at.host, at.port};
    if (std::holds_alternative<PostgresService>(to.what)) {
      const auto& database = dynamic_cast<DatabaseService&>(*services_.at(to.id));
      addresses_.urls[edge.id] = database_url(addresses_.edges[edge.id], database.database());
    }
  }
  for (const auto& service : scenario_.services) {
    if (std::holds_alternative<PostgresService>(service.what)) continue;
    const auto at =
        open(EdgeId{"breakwire->" + service.id.text}, service, "grpc", {}, false, "", service.span);
    control_[service.id] = at.host + ":" + std::to_string(at.port);
  }
}

void Topology::start_services(const std::stop_token& stop) {
  std::vector<RunningService*> starting;
  for (const auto& service : scenario_.services) {
    if (const auto* external = std::get_if<External>(&service.what))
      require_reachable(service, *external, stop);
    if (!std::holds_alternative<RunCommand>(service.what)) continue;
    services_[service.id] = make_process_service(options_for(service));
    starting.push_back(services_[service.id].get());
  }
  start_all(starting, stop);
}

std::string Topology::filled_in(const scenario::Service& service, const std::string& text) const {
  std::vector<std::string> unknown;
  std::string filled = scenario::expand(
      text, lookup_for(service.id, addresses_, options_.bin, options_.environment), &unknown);
  if (!unknown.empty()) {
    throw SetupError(json::error_at(
        service.span,
        "service `" + service.id.text + "` uses `${" + unknown.front() + "}`, which has no value here",
        "set the variable before running"));
  }
  return filled;
}

std::vector<ServiceId> Topology::stop() {
  for (const auto& [id, service] : services_) service->ask_to_stop();
  std::vector<ServiceId> killed;
  for (const auto& [id, service] : services_) {
    if (!service->stopped()) killed.push_back(id);
  }
  return killed;
}

}  // namespace breakwire::run
