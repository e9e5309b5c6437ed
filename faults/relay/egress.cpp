#include "faults/relay/egress.h"

#include <algorithm>
#include <cassert>

namespace breakwire::relay {
namespace {

constexpr size_t merged_up_to = 64 * 1024;  // small undelayed pieces share an item up to this size

constexpr size_t queue_limit = 1 << 20;
constexpr size_t delayed_limit = 4 << 20;
constexpr size_t least_paced_limit = 64 * 1024;
constexpr Duration paced_ahead = 20ms;

}  // namespace

void Egress::push(std::string_view bytes, const Terms& terms, Instant now) {
  assert(!ended());
  if (terms.none() && !items_.empty()) {
    auto& last = items_.back();
    if (last.terms.none() && last.bytes.size() + bytes.size() <= merged_up_to) {
      last.bytes.append(bytes);
      weight_ += bytes.size();
      return;
    }
  }
  items_.push_back({.kind = Kind::bytes,
                    .bytes = std::string(bytes),
                    .arrived = now,
                    .release = now + terms.delay,
                    .terms = terms});
  weight_ += bytes.size() + sizeof(Item);
}

void Egress::push_end(Kind kind, const Terms& terms, Instant now) {
  assert(kind != Kind::bytes);
  if (ended()) items_.pop_back();  // a RST after a FIN that has not left
  items_.push_back({.kind = kind, .bytes = {}, .arrived = now, .release = now + terms.delay, .terms = terms});
}

std::optional<Egress::Front> Egress::front(Instant now) const {
  if (items_.empty() || !items_.front().due(now)) return std::nullopt;
  const auto& item = items_.front();
  const auto bytes = std::string_view(item.bytes).substr(offset_);
  if (!paced()) return Front{item.kind, bytes};
  const size_t allowance = pacer_.allowance(item.terms.paces, now);
  if (allowance == 0) return std::nullopt;
  return Front{item.kind, bytes.substr(0, allowance)};
}

void Egress::consume(size_t count, Instant now) {
  auto& item = items_.front();
  if (count > 0 && paced()) pacer_.left(item.terms.paces, count, item.release, now);
  offset_ += count;
  assert(offset_ <= item.bytes.size());
  if (offset_ < item.bytes.size()) return;
  if (item.kind == Kind::bytes) weight_ -= item.bytes.size() + sizeof(Item);
  items_.pop_front();
  offset_ = 0;
}

bool Egress::reset_due(Instant now) const {
  return !items_.empty() && items_.back().kind == Kind::reset && !kept_by_fault(now);
}

std::optional<Instant> Egress::next_release(Instant now) const {
  if (items_.empty()) return std::nullopt;
  const auto& item = items_.front();
  if (!item.terms.held_by.empty()) return std::nullopt;
  const Instant at = paced() ? std::max(item.release, pacer_.next(item.terms.paces)) : item.release;
  return at > now ? std::optional(at) : std::nullopt;
}

bool Egress::kept_by_fault(Instant now) const {
  if (paced() && pacer_.allowance(items_.front().terms.paces, now) == 0) return true;
  return std::any_of(items_.begin(), items_.end(), [now](const Item& item) { return !item.due(now); });
}

bool Egress::only_delayed(Instant now) const {
  return !items_.empty() && items_.front().terms.held_by.empty() && items_.front().release > now &&
         items_.back().terms.held_by.empty();
}

/// As long as it fills the delay and the pace, whatever else the queue costs.
bool Egress::has_paced_room() const {
  const double rate = rate_of(items_.front().terms.paces);
  const double ahead = std::chrono::duration<double>(paced_ahead + items_.back().terms.delay).count();
  const size_t bytes = weight_ - (items_.size() - (ended() ? 1 : 0)) * sizeof(Item);
  return weight_ < delayed_limit && static_cast<double>(bytes) < least_paced_limit + rate * ahead;
}

bool Egress::has_room(Instant now) const {
  if (items_.empty()) return true;
  const auto held = [](const Item& item) { return !item.terms.held_by.empty(); };
  if (paced() && !held(items_.front()) && !held(items_.back())) return has_paced_room();
  return weight_ < queue_limit || (weight_ < delayed_limit && only_delayed(now));
}

void Egress::reconsider(const FaultId& fault, Instant now, const Ask& ask) {
  pacer_.forget(fault);
  uint64_t from_end = 0;
  for (const auto& item : items_) from_end += item.bytes.size();
  for (auto& item : items_) {
    const uint64_t behind = from_end;
    from_end -= item.bytes.size();
    const bool held = item.terms.held_by == fault;
    const auto& delayed_by = item.terms.delayed_by;
    const bool delayed = std::find(delayed_by.begin(), delayed_by.end(), fault) != delayed_by.end();
    const bool paced = std::any_of(item.terms.paces.begin(), item.terms.paces.end(),
                                   [&](const Pacing& pacing) { return pacing.by == fault; });
    if (!held && !delayed && !paced) continue;
    // Still held by another: when that one is cleared, the item is asked about anew.
    if (!held && !item.terms.held_by.empty()) continue;
    const size_t gone = &item == &items_.front() ? offset_ : 0;
    item.terms = ask({.bytes = item.bytes, .gone = gone, .from_end = behind});
    item.release = (held ? now : item.arrived) + item.terms.delay;
  }
}

void Egress::drop_last(uint64_t count) {
  for (size_t i = items_.size(); i-- > 0 && count > 0;) {
    auto& item = items_[i];
    if (item.kind != Kind::bytes) continue;
    const size_t gone = i == 0 ? offset_ : 0;
    const size_t dropped = std::min<uint64_t>(count, item.bytes.size() - gone);
    item.bytes.resize(item.bytes.size() - dropped);
    weight_ -= dropped;
    count -= dropped;
    if (item.bytes.size() > gone) return;
    weight_ -= item.bytes.size() + sizeof(Item);
    items_.erase(items_.begin() + static_cast<ptrdiff_t>(i));
    if (i == 0) offset_ = 0;
  }
}

void Egress::clear() {
  items_.clear();
  offset_ = 0;
  weight_ = 0;
}

}  // namespace breakwire::relay
