// What `${…}` stands for once ports are known. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/scenario/placeholders.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// The addresses of a run: where each edge is dialled and which ports each service has.
struct Addresses {
  struct HostPort {
    std::string host;
    uint16_t port = 0;
    std::string text() const { return host + ":" + std::to_string(port); }
  };
  std::map<EdgeId, HostPort> edges;
  std::map<ServiceId, std::map<std::string, uint16_t>> ports;
  std::map<EdgeId, std::string> urls;  // of edges to a database
};

/// The lookup for a service's own texts: `bin`, `env.X`, `a->b[.host|.port|.url]`, `port.NAME`,
/// `address.NAME`. `environment` answers for `env.X`. Everything is kept by reference.
scenario::Lookup lookup_for(const ServiceId& service, const Addresses& addresses, const std::string& bin,
                            const scenario::Lookup& environment);

/// Every text with its placeholders replaced; names that stand for nothing are added to `unknown`.
std::vector<std::string> expand_all(const std::vector<std::string>& texts, const scenario::Lookup& lookup,
                                    std::vector<std::string>& unknown);

/// "postgresql://postgres@127.0.0.1:1234/shop?…": TLS and GSS off, for an edge is plain TCP.
std::string database_url(const Addresses::HostPort& address, const std::string& database);

}  // namespace breakwire::run
