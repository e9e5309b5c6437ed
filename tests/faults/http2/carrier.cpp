#include "tests/faults/http2/carrier.h"

#include <algorithm>

namespace breakwire::http2::testing {

Carrier::Carrier(Options options, End& downstream, End& upstream)
    : session(
          {.edge = {"a->b"}, .connection = {7}, .correlation_key = "x-request-id", .limits = options.limits},
          host),
      now(Instant{} + 1000s),
      options_(options),
      rng_(options.seed),
      downstream_(downstream),
      upstream_(upstream) {}

void Carrier::receive(Side from, std::string_view bytes) {
  const auto taken =
      lender_.receive(session, from, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, now);
  for (const auto& [to, output] : taken) unwritten_[to] += output;
  deliver();
}

bool Carrier::deliver() {
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
    if (n > 0) end(to).input({reinterpret_cast<const uint8_t*>(bytes.data()), n});
  }
  session.flush_observations();
  return moved;
}

bool Carrier::step(Side from) {
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

void Carrier::run() {
  for (bool moved = true; moved;) {
    const Side first = rng_.next() % 2 == 0 ? Side::downstream : Side::upstream;
    moved = step(first);
    if (options_.seed == 0 || rng_.next() % 2 == 0 || !moved) {
      moved = step(first == Side::downstream ? Side::upstream : Side::downstream) || moved;
    }
    moved = deliver() || moved;
  }
}

void Carrier::wait(Duration time) {
  now += time;
  session.advance(now);
  deliver();
  run();
}

std::vector<std::string> Carrier::relay_complaints() const {
  std::vector<std::string> all;
  for (const auto& seen : host.all<faults::ProtocolViolation>()) all.push_back("relay: " + seen.what);
  for (const auto& seen : host.all<faults::LimitReached>()) {
    if (seen.limit != "held_bytes") all.push_back("relay: limit " + seen.limit);
  }
  return all;
}

}  // namespace breakwire::http2::testing
