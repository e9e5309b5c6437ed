#include "tests/faults/http2/world.h"

#include <algorithm>

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
    : session({.edge = {"a->b"}, .connection = {7}, .correlation_key = "x-request-id", .limits = options.limits}, host),
      client(Endpoint::Role::client, options.client),
      server(Endpoint::Role::server, options.server),
      now(Instant{} + 1000s),
      options_(options),
      rng_(options.seed) {}

void World::echo() {
  server.on_request = [this](int32_t id) {
    server.respond(id, response_fields(), server.streams[id].body, ok_trailers());
  };
}

void World::receive(Side from, std::string_view bytes) {
  session.receive(from, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, now);
  deliver();
}

bool World::deliver() {
  bool moved = false;
  for (Side to : {Side::downstream, Side::upstream}) {
    std::string& unwritten = unwritten_[to];
    unwritten += session.take_output(to);
    if (unwritten.empty()) continue;
    moved = true;
    size_t n = unwritten.size();
    if (options_.slow_sockets) n = rng_.next() % 3 == 0 ? 0 : 1 + rng_.next() % std::min<size_t>(n, 30'000);
    const std::string bytes = unwritten.substr(0, n);
    unwritten.erase(0, n);
    written_[to] += n;
    if (options_.write_at_once) session.written(to, written_[to], now);
    Endpoint& endpoint = to == Side::downstream ? client : server;
    if (n > 0) endpoint.input({reinterpret_cast<const uint8_t*>(bytes.data()), n});
  }
  session.flush_observations();
  return moved;
}

bool World::step(Side from) {
  std::string& unread = unread_[from];
  collect(from);
  if (unread.empty() || !session.wants_input(from)) return false;
  size_t n = unread.size();
  if (options_.seed != 0) n = 1 + rng_.next() % std::min<size_t>(n, rng_.next() % 4 == 0 ? 20 : 40'000);
  const std::string bytes = unread.substr(0, n);
  unread.erase(0, n);
  receive(from, bytes);
  return true;
}

void World::run() {
  for (bool moved = true; moved;) {
    const Side first = rng_.next() % 2 == 0 ? Side::downstream : Side::upstream;
    moved = step(first);
    if (options_.seed == 0 || rng_.next() % 2 == 0 || !moved) {
      moved = step(first == Side::downstream ? Side::upstream : Side::downstream) || moved;
    }
    moved = deliver() || moved;
  }
}

void World::wait(Duration time) {
  now += time;
  session.advance(now);
  deliver();
  run();
}

std::vector<std::string> World::complaints() const {
  std::vector<std::string> all;
  for (const auto& complaint : client.complaints) all.push_back("client: " + complaint);
  for (const auto& complaint : server.complaints) all.push_back("server: " + complaint);
  for (const auto& seen : host.all<faults::ProtocolViolation>()) all.push_back("relay: " + seen.what);
  for (const auto& seen : host.all<faults::LimitReached>()) {
    if (seen.limit != "held_bytes") all.push_back("relay: limit " + seen.limit);
  }
  return all;
}

}  // namespace breakwire::http2::testing
