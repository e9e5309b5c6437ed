#include "faults/http2/observation_log.h"

#include <utility>

namespace breakwire::http2 {
namespace {

size_t index(Side side) { return side == Side::downstream ? 0 : 1; }

void set_forwarded(faults::Observation& observation, Instant now) {
  std::visit(
      [&](auto& seen) {
        if constexpr (requires { seen.times; }) seen.times.forwarded = now;
      },
      observation);
}

}  // namespace

ObservationLog::ObservationLog(EdgeId edge, ConnectionId connection, Tell tell)
    : edge_(std::move(edge)), connection_(connection), tell_(std::move(tell)) {}

void ObservationLog::add(faults::Observation observation) {
  line_.push_back({.observation = std::move(observation)});
}

ObservationLog::Ticket ObservationLog::open(faults::Observation observation) {
  line_.push_back({.observation = std::move(observation), .leaving = Leaving::undecided});
  return first_ + line_.size() - 1;
}

void ObservationLog::leaves(Ticket ticket, Side to, uint64_t offset, StreamId stream,
                            std::optional<faults::FrameKind> kind) {
  if (ticket == 0) return;
  if (ticket >= first_) {
    Entry& entry = line_[ticket - first_];
    if (entry.leaving == Leaving::undecided) {
      entry.leaving = Leaving::yes;
      entry.to = to;
      entry.offset = offset;
      entry.stream = stream;
      entry.kind = kind;
      return;
    }
  }
  if (kind) later_[index(to)].emplace(offset, Later{stream, *kind});
}

void ObservationLog::written(Side to, uint64_t total, Instant now) {
  written_[index(to)] = total;
  for (Entry& entry : line_) {
    if (entry.leaving == Leaving::yes && !entry.known && entry.to == to && entry.offset <= total) {
      set_forwarded(entry.observation, now);
      entry.known = true;
    }
  }
  auto& later = later_[index(to)];
  const auto end = later.upper_bound(total);
  for (auto it = later.begin(); it != end; ++it) {
    add(faults::Forwarded{.edge = edge_,
                          .connection = connection_,
                          .stream = it->second.stream,
                          .frame = it->second.kind,
                          .at = now});
  }
  later.erase(later.begin(), end);
  tell_ready();
}

void ObservationLog::settle() {
  for (Entry& entry : line_) {
    if (entry.leaving == Leaving::undecided) entry.leaving = Leaving::no;
  }
  tell_ready();
}

void ObservationLog::flush() {
  settle();
  while (!line_.empty()) {
    Entry entry = std::move(line_.front());
    line_.pop_front();
    ++first_;
    if (entry.leaving == Leaving::yes && !entry.known && entry.kind) {
      later_[index(entry.to)].emplace(entry.offset, Later{entry.stream, *entry.kind});
    }
    tell_(std::move(entry.observation));
  }
}

void ObservationLog::tell_ready() {
  while (!line_.empty()) {
    Entry& entry = line_.front();
    if (entry.leaving == Leaving::undecided || (entry.leaving == Leaving::yes && !entry.known)) return;
    faults::Observation observation = std::move(entry.observation);
    line_.pop_front();
    ++first_;
    tell_(std::move(observation));
  }
}

}  // namespace breakwire::http2
