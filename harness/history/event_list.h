// Events in order, each where it was put: a list that grows without moving what is in it. Pure.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "harness/history/event.h"

namespace breakwire::history {

/// Append-only. A reference to an event stays good as long as the list is there and not moved from; a vector,
/// which moves everything when it grows, would hold up whoever records for milliseconds at a time.
class EventList {
  static constexpr size_t block =
      std::max<size_t>(1, 64 * 1024 / sizeof(Event));  // events that lie side by side

 public:
  using value_type = Event;

  class const_iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Event;
    using difference_type = std::ptrdiff_t;
    using pointer = const Event*;
    using reference = const Event&;

    const_iterator() = default;
    const_iterator(const EventList& list, size_t at) : list_(&list), at_(at) {}
    reference operator*() const { return (*list_)[at_]; }
    pointer operator->() const { return &(*list_)[at_]; }
    reference operator[](difference_type offset) const { return *(*this + offset); }
    const_iterator& operator+=(difference_type count) {
      at_ += static_cast<size_t>(count);
      return *this;
    }
    const_iterator& operator-=(difference_type count) { return *this += -count; }
    const_iterator& operator++() { return *this += 1; }
    const_iterator& operator--() { return *this -= 1; }
    const_iterator operator++(int) { return std::exchange(*this, *this + 1); }
    const_iterator operator--(int) { return std::exchange(*this, *this - 1); }
    friend const_iterator operator+(const_iterator from, difference_type count) { return from += count; }
    friend const_iterator operator+(difference_type count, const_iterator from) { return from += count; }
    friend const_iterator operator-(const_iterator from, difference_type count) { return from -= count; }
    friend difference_type operator-(const_iterator to, const_iterator from) {
      return static_cast<difference_type>(to.at_ - from.at_);
    }
    bool operator==(const const_iterator& other) const { return at_ == other.at_; }
    auto operator<=>(const const_iterator& other) const { return at_ <=> other.at_; }

   private:
    const EventList* list_ = nullptr;
    size_t at_ = 0;
  };

  template <class What>
  void emplace_back(EventNumber number, Instant at, What&& what) {
    if (blocks_.empty() || blocks_.back().size() == block) blocks_.emplace_back();
    auto& last = blocks_.back();
    if (last.capacity() < block) last.reserve(block);  // a copy has what it needs
    Event& event = last.emplace_back();
    event.number = number;
    event.at = at;
    event.what = std::forward<What>(what);
  }

  size_t size() const { return blocks_.empty() ? 0 : (blocks_.size() - 1) * block + blocks_.back().size(); }
  bool empty() const { return blocks_.empty(); }
  const Event& operator[](size_t at) const { return blocks_[at / block][at % block]; }
  const Event& at(size_t at) const { return blocks_.at(at / block).at(at % block); }
  const Event& front() const { return blocks_.front().front(); }
  const Event& back() const { return blocks_.back().back(); }
  const_iterator begin() const { return {*this, 0}; }
  const_iterator end() const { return {*this, size()}; }

 private:
  std::vector<std::vector<Event>> blocks_;
};

}  // namespace breakwire::history
