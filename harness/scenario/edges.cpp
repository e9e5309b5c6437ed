// `edges`: who dials whom, through a relay each.
#include "harness/scenario/sections.h"

namespace breakwire::scenario {
namespace {

using json::Value;

struct EdgeText {
  std::optional<EdgeProtocol> protocol;
  std::optional<HostPort> listen;
  history::Correlate correlate;

  static const Fields<EdgeText>& fields() {
    static const auto all =
        Fields<EdgeText>()
            .optional("protocol", &EdgeText::protocol,
                      "`auto` looks at the first bytes; `tcp` looks at none. An edge to PostgreSQL is `tcp`.")
            .optional("listen", &EdgeText::listen,
                      "A fixed address on loopback, for callers that breakwire does not start.")
            .optional("correlate", &EdgeText::correlate,
                      "How the attempts of one call are recognised: `auto`, `attempts_header`, `trace`, "
                      "`metadata:<key>`, or `serial` (one call at a time).");
    return all;
  }
};

/// "a->b" or "a->b:port", taken apart; spans are those of its parts within the key.
struct Ends {
  Name from, to, port;
};

std::optional<Ends> ends_of(const std::string& key, const json::Span& span) {
  const size_t arrow = key.find("->");
  if (arrow == std::string::npos) return std::nullopt;
  const size_t colon = key.find(':', arrow);
  const auto part = [&](size_t begin, size_t end) {
    Name name{key.substr(begin, end - begin), span};
    // The key is written as it is, between quotes, unless it is written with escapes.
    if (span.source && span.end - span.begin == key.size() + 2) {
      name.span.begin = span.begin + 1 + begin;
      name.span.end = span.begin + 1 + end;
    }
    return name;
  };
  Ends ends{part(0, arrow), part(arrow + 2, std::min(colon, key.size())), {}};
  if (colon != std::string::npos) ends.port = part(colon + 1, key.size());
  const bool good =
      is_id(ends.from.text) && is_id(ends.to.text) && (colon == std::string::npos || is_id(ends.port.text));
  return good ? std::optional(std::move(ends)) : std::nullopt;
}

/// Whether the edge can be, with the services that there are.
bool read_ends(const Ends& ends, const Names& names, Edge& edge, ErrorList& errors) {
  edge.from = {ends.from.text};
  edge.to = {ends.to.text};
  const size_t before = errors.size();
  const Service* from = ends.from.text == "client" ? nullptr : names.service(ends.from, errors);
  if (from && is_postgres(*from))
    errors.push_back(
        json::error_at(ends.from.span, "a PostgreSQL server dials nobody", "turn the edge round?"));
  if (ends.to.text == "client") {
    errors.push_back(json::error_at(ends.to.span, "nobody dials the load", "turn the edge round?"));
    return false;
  }
  const Service* to = names.service(ends.to, errors);
  if (!to) return false;
  const std::vector<std::string> ports = ports_of(*to);
  edge.port = is_postgres(*to) ? "postgres" : "grpc";
  if (!ends.port.text.empty()) {
    edge.port = ends.port.text;
    if (std::find(ports.begin(), ports.end(), edge.port) == ports.end())
      errors.push_back(json::error_at(ends.port.span,
                                      "`" + edge.to.text + "` has no port `" + edge.port + "`",
                                      did_you_mean(edge.port, ports)));
  }
  return errors.size() == before;
}

void check_listen(const HostPort& listen, std::map<std::string, json::Span>& taken, ErrorList& errors) {
  if (listen.host != "localhost" && listen.host != "::1" && !listen.host.starts_with("127."))
    errors.push_back(json::error_at(listen.span, "`" + listen.host + "` is not on loopback",
                                    "breakwire listens on loopback only, such as 127.0.0.1"));
  const std::string address = listen.host + ":" + std::to_string(listen.port);
  if (auto [first, fresh] = taken.emplace(address, listen.span); !fresh) {
    Error error = json::error_at(listen.span, "two edges listen on " + address, "choose another port");
    error.also.push_back(json::place_of(first->second));
    errors.push_back(std::move(error));
  }
}

}  // namespace

std::vector<Edge> read_edges(const Value& section, const Names& names, ErrorList& errors) {
  std::vector<Edge> edges;
  std::map<std::string, json::Span> listening;
  for (const json::Member& member : section.members) {
    EdgeText text;
    Edge edge;
    const auto ends = ends_of(member.key, member.key_span);
    if (!ends)
      errors.push_back(json::error_at(member.key_span, "`" + member.key + "` is not an edge",
                                      "edges are written a->b, or a->b:PORT"));
    const bool good_ends = ends && read_ends(*ends, names, edge, errors);
    const bool good_text = EdgeText::fields().read(member.value, text, errors);
    if (text.listen && text.listen->port != 0) check_listen(*text.listen, listening, errors);
    if (!good_ends || !good_text) continue;
    edge.id = {member.key};
    edge.span = member.key_span;
    edge.correlate = text.correlate;
    const bool postgres = is_postgres(*names.services.at(edge.to.text));
    edge.protocol = text.protocol.value_or(postgres ? EdgeProtocol::tcp : EdgeProtocol::detect);
    if (postgres && edge.protocol != EdgeProtocol::tcp)
      errors.push_back(json::error_at(member.value.find("protocol")->span, "PostgreSQL does not speak gRPC",
                                      "an edge to it is `tcp`, which is the default there"));
    if (text.listen) edge.listen.emplace(text.listen->host, text.listen->port);
    edges.push_back(std::move(edge));
  }
  return edges;
}

FormatPart edges_section() { return {"edges", "an edge", EdgeText::fields().info()}; }

}  // namespace breakwire::scenario
