#include "tests/faults/http2/world.h"

namespace breakwire::http2::testing {

faults::Metadata request_fields(const std::string& method, faults::Metadata more) {
  faults::Metadata fields{{":method", "POST"},    {":scheme", "http"}, {":path", "/" + method},
                          {":authority", "shop"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

faults::Metadata response_fields() { return {{":status", "200"}, {"content-type", "application/grpc"}}; }

faults::Metadata ok_trailers() { return {{"grpc-status", "0"}}; }

World::World(Options options)
    : Carrier({.limits = options.limits,
               .seed = options.seed,
               .write_at_once = options.write_at_once,
               .slow_sockets = options.slow_sockets},
              client, server),
      client(Endpoint::Role::client, options.client),
      server(Endpoint::Role::server, options.server) {}

void World::echo() {
  server.on_request = [this](int32_t id) {
    server.respond(id, response_fields(), server.streams[id].body, ok_trailers());
  };
}

std::vector<std::string> World::complaints() const {
  std::vector<std::string> all;
  for (const auto& complaint : client.complaints) all.push_back("client: " + complaint);
  for (const auto& complaint : server.complaints) all.push_back("server: " + complaint);
  for (const auto& complaint : relay_complaints()) all.push_back(complaint);
  return all;
}

}  // namespace breakwire::http2::testing
