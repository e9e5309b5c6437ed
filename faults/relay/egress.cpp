#include "faults/relay/egress.h"

#include <algorithm>
#include <cassert>

namespace breakwire::relay {
namespace {

constexpr size_t merged_up_to = 64 * 1024;  // small undelayed pieces share an item up to this size

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
  return Front{item.kind, std::string_view(item.bytes).substr(offset_)};
}

void Egress::consume(size_t count) {
  auto& item = items_.front();
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
  if (!item.terms.held_by.empty() || item.release <= now) return std::nullopt;
  return item.release;
}

bool Egress::kept_by_fault(Instant now) const {
  return std::any_of(items_.begin(), items_.end(), [now](const Item& item) { return !item.due(now); });
}

bool Egress::only_delayed(Instant now) const {
  return !items_.empty() && items_.front().terms.held_by.empty() && items_.front().release > now &&
         items_.back().terms.held_by.empty();
}

void Egress::reconsider(const FaultId& fault, Instant now, const Ask& ask) {
  uint64_t from_end = 0;
  for (const auto& item : items_) from_end += item.bytes.size();
  for (auto& item : items_) {
    const uint64_t behind = from_end;
    from_end -= item.bytes.size();
    const bool held = item.terms.held_by == fault;
    const auto& delayed_by = item.terms.delayed_by;
    const bool delayed = std::find(delayed_by.begin(), delayed_by.end(), fault) != delayed_by.end();
    if (!held && !delayed) continue;
    // Still held by another: when that one is cleared, the item is asked about anew.
    if (!held && !item.terms.held_by.empty()) continue;
    item.terms = ask(item.bytes.size(), behind);
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
