#include "faults/http2/control_queue.h"

#include <algorithm>
#include <set>

namespace breakwire::http2 {

using faults::ControlFrame;

bool ControlQueue::waits(ControlFrame kind) const {
  return kind != ControlFrame::window_update &&
         std::any_of(frames_.begin(), frames_.end(),
                     [kind](const auto& frame) { return frame.kind == kind; });
}

void ControlQueue::push(WaitingFrame frame) { frames_.push_back(std::move(frame)); }

void ControlQueue::freeze(StreamId stream, const FaultId& by, int64_t increment) {
  frozen_[{stream, by}] += increment;
}

std::vector<std::pair<StreamId, int64_t>> ControlQueue::withdraw(const FaultId& fault) {
  for (WaitingFrame& frame : frames_) {
    if (frame.held_by == fault) frame.held_by = {};
    for (const auto& [by, delay] : frame.delays) {
      if (by == fault) frame.due -= delay;
    }
    std::erase_if(frame.delays, [&](const auto& delay) { return delay.first == fault; });
  }
  std::vector<std::pair<StreamId, int64_t>> thawed;
  std::erase_if(frozen_, [&](const auto& entry) {
    if (entry.first.second != fault) return false;
    thawed.emplace_back(entry.first.first, entry.second);
    return true;
  });
  return thawed;
}

std::optional<WaitingFrame> ControlQueue::next(Instant now) {
  std::set<ControlFrame> waiting;
  for (auto at = frames_.begin(); at != frames_.end(); ++at) {
    const bool stays = at->due > now || !at->held_by.empty() || waiting.contains(at->kind);
    if (stays) {
      if (at->kind != ControlFrame::window_update) waiting.insert(at->kind);
      continue;
    }
    WaitingFrame frame = std::move(*at);
    frames_.erase(at);
    return frame;
  }
  return std::nullopt;
}

std::optional<Instant> ControlQueue::next_due() const {
  std::optional<Instant> next;
  std::set<ControlFrame> waiting;
  for (const WaitingFrame& frame : frames_) {
    const bool behind = frame.kind != ControlFrame::window_update && !waiting.insert(frame.kind).second;
    if (!behind && frame.held_by.empty() && (!next || frame.due < *next)) next = frame.due;
  }
  return next;
}

void ControlQueue::forget(StreamId stream) {
  if (frozen_.empty()) return;
  const auto first = frozen_.lower_bound({stream, FaultId{}});
  auto last = first;
  while (last != frozen_.end() && last->first.first == stream) ++last;
  frozen_.erase(first, last);
}

void ControlQueue::clear() {
  frames_.clear();
  frozen_.clear();
}

}  // namespace breakwire::http2
