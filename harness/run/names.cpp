#include "harness/run/names.h"

namespace breakwire::run {

scenario::Lookup lookup_for(const ServiceId& service, const Addresses& addresses, const std::string& bin,
                            const scenario::Lookup& environment) {
  return [=, &addresses, &bin, &environment](std::string_view name) -> std::optional<std::string> {
    if (name == "bin") return bin;
    if (name.starts_with("env.")) return environment(name.substr(4));
    const auto own = addresses.ports.find(service);
    const auto port_of = [&](std::string_view port) -> std::optional<uint16_t> {
      if (own == addresses.ports.end()) return std::nullopt;
      const auto found = own->second.find(std::string(port));
      return found == own->second.end() ? std::nullopt : std::optional(found->second);
    };
    if (name.starts_with("port.")) {
      const auto port = port_of(name.substr(5));
      return port ? std::optional(std::to_string(*port)) : std::nullopt;
    }
    if (name.starts_with("address.")) {
      const auto port = port_of(name.substr(8));
      return port ? std::optional("127.0.0.1:" + std::to_string(*port)) : std::nullopt;
    }
    for (const auto& [edge, address] : addresses.edges) {
      if (!name.starts_with(edge.text)) continue;
      const std::string_view rest = name.substr(edge.text.size());
      if (rest.empty()) return address.text();
      if (rest == ".host") return address.host;
      if (rest == ".port") return std::to_string(address.port);
      if (rest == ".url") {
        const auto url = addresses.urls.find(edge);
        return url == addresses.urls.end() ? std::nullopt : std::optional(url->second);
      }
    }
    return std::nullopt;
  };
}

std::vector<std::string> expand_all(const std::vector<std::string>& texts, const scenario::Lookup& lookup,
                                    std::vector<std::string>& unknown) {
  std::vector<std::string> all;
  for (const auto& text : texts) all.push_back(scenario::expand(text, lookup, &unknown));
  return all;
}

std::string database_url(const Addresses::HostPort& address, const std::string& database) {
  return "postgresql://postgres@" + address.text() + "/" + database + "?sslmode=disable&gssencmode=disable";
}

}  // namespace breakwire::run
