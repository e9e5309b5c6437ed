// The bytes on their way to one peer, and how many of them have been written to its socket. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace breakwire::http2 {

class Output {
 public:
  /// Append whole frames here. Call `control_frame` after each that is neither DATA nor part of a field
  /// block.
  std::string& bytes() { return pending_; }
  void control_frame() { control_.push_back(end()); }

  /// The position after the last byte so far, counted from the connection's start.
  uint64_t end() const { return taken_ + pending_.size(); }
  std::string take() {
    taken_ += pending_.size();
    return std::exchange(pending_, {});
  }
  void written(uint64_t total) {
    written_ = total;
    while (!control_.empty() && control_.front() <= total) control_.pop_front();
  }
  uint64_t written() const { return written_; }
  uint64_t backlog() const { return end() - written_; }
  size_t control_backlog() const { return control_.size(); }
  bool empty() const { return pending_.empty(); }

 private:
  std::string pending_;
  uint64_t taken_ = 0;
  uint64_t written_ = 0;
  std::deque<uint64_t> control_;  // where each unwritten control frame ends
};

}  // namespace breakwire::http2
