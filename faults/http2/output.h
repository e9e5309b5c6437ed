// The bytes on their way to one peer, and how many of them have been written to its socket. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwire::http2 {

/// Bytes in order, some of which lie where they were read: a long run of DATA is written from there, not
/// copied first.
class Gathered {
 public:
  std::string& own() {
    if (own_.empty() && own_.capacity() < at_first) own_.reserve(at_first);
    return own_;
  }
  /// After everything so far. `bytes` have to stay where they are until this is used up, or `keep`.
  void borrow(std::string_view bytes) {
    borrowed_.push_back({own_.size(), bytes});
    borrowed_size_ += bytes.size();
  }
  /// From now on nothing is borrowed.
  void keep() {
    if (!borrowed_.empty()) *this = Gathered(flat());
  }

  Gathered() = default;
  size_t size() const { return own_.size() + borrowed_size_; }
  bool empty() const { return size() == 0; }
  /// Everything in one piece; a copy, unless nothing is borrowed.
  std::string flat() && { return borrowed_.empty() ? std::move(own_) : std::as_const(*this).flat(); }
  std::string flat() const& {
    std::string all;
    all.reserve(size());
    for (size_t piece = 0; piece < pieces(); ++piece) all.append(this->piece(piece));
    return all;
  }

  /// The pieces, some of them empty; views into this, and into what is borrowed.
  size_t pieces() const { return 2 * borrowed_.size() + 1; }
  std::string_view piece(size_t number) const {
    if (number % 2 == 1) return borrowed_[number / 2].bytes;
    const size_t begin = number == 0 ? 0 : borrowed_[number / 2 - 1].after;
    const size_t end = number / 2 < borrowed_.size() ? borrowed_[number / 2].after : own_.size();
    return std::string_view(own_).substr(begin, end - begin);
  }

 private:
  explicit Gathered(std::string all) : own_(std::move(all)) {}

  static constexpr size_t at_first = 1000;  // a turn's worth of calls, and still a small allocation
  struct Borrowed {
    size_t after = 0;  // so many of our own
    std::string_view bytes;
  };
  std::string own_;
  std::vector<Borrowed> borrowed_;
  size_t borrowed_size_ = 0;
};

class Output {
 public:
  /// Append whole frames here. Call `control_frame` after each that is neither DATA nor part of a field
  /// block.
  std::string& bytes() { return pending_.own(); }
  void control_frame() { ++control_; }
  /// See Gathered.
  void borrow(std::string_view bytes) { pending_.borrow(bytes); }
  void keep() { pending_.keep(); }

  /// The position after the last byte so far, counted from the connection's start.
  uint64_t end() const { return taken_ + pending_.size(); }
  Gathered take() {
    taken_ += pending_.size();
    control_ = 0;
    return std::exchange(pending_, {});
  }
  /// What nobody has taken: the owner takes as long as it has room, so this grows when the peer is slow. What
  /// was taken and not written yet is under way, as on a long wire, and the owner bounds it.
  uint64_t backlog() const { return pending_.size(); }
  size_t control_backlog() const { return control_; }
  bool empty() const { return pending_.empty(); }

 private:
  Gathered pending_;
  uint64_t taken_ = 0;
  size_t control_ = 0;  // control frames among the pending bytes
};

}  // namespace breakwire::http2
