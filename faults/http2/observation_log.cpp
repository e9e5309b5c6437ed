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

ObservationLog::ObservationLog(EdgeId edge, ConnectionId connection, Tell tell, ObservationLine* line)
    : edge_(std::move(edge)), connection_(connection), tell_(std::move(tell)), shared_(line) {}

void ObservationLog::borrow_line() {
  if (shared_ != nullptr) line_ = std::exchange(shared_->entries, {});
  if (line_.capacity() == 0) line_.reserve(32);
}

void ObservationLog::leaves(Ticket ticket, Side to, uint64_t offset, StreamId stream,
                            std::optional<faults::FrameKind> kind) {
  if (ticket == 0) return;
  if (ticket >= first_) {
    Entry& entry = line_[told_ + (ticket - first_)];
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
  for (size_t at = told_; at < line_.size(); ++at) {
    Entry& entry = line_[at];
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
  for (size_t at = told_; at < line_.size(); ++at) {
    if (line_[at].leaving == Leaving::undecided) line_[at].leaving = Leaving::no;
  }
  tell_ready();
}

void ObservationLog::flush() {
  settle();
  while (told_ < line_.size()) {
    const Entry& entry = line_[told_];
    if (entry.leaving == Leaving::yes && !entry.known && entry.kind) {
      later_[index(entry.to)].emplace(entry.offset, Later{entry.stream, *entry.kind});
    }
    tell_first();
  }
  told_ = 0;
  line_.clear();
  if (shared_ == nullptr || line_.capacity() == 0) return;
  constexpr size_t most_kept = 1024;  // entries: what an unusual turn took is given back
  if (line_.capacity() <= most_kept) shared_->entries = std::move(line_);
  line_ = {};
}

void ObservationLog::tell_first() {
  faults::Observation& observation = line_[told_++].observation;
  ++first_;
  tell_(std::move(observation));
}

void ObservationLog::tell_ready() {
  while (told_ < line_.size()) {
    const Entry& entry = line_[told_];
    if (entry.leaving == Leaving::undecided || (entry.leaving == Leaving::yes && !entry.known)) return;
    tell_first();
  }
}

}  // namespace breakwire::http2
