// The bytes on their way to one peer, and how many of them have been written to its socket. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace breakwire::http2 {

class Output {
 public:
  /// Append whole frames here. Call `control_frame` after each that is neither DATA nor part of a field
  /// block.
  std::string& bytes() { return pending_; }
  void control_frame() { ++control_; }

  /// The position after the last byte so far, counted from the connection's start.
  uint64_t end() const { return taken_ + pending_.size(); }
  std::string take() {
    taken_ += pending_.size();
    control_ = 0;
    return std::exchange(pending_, {});
  }
  void written(uint64_t total) { written_ = total; }
  uint64_t written() const { return written_; }
  /// What nobody has taken: the owner takes as long as it has room, so this grows when the peer is slow. What
  /// was taken and not written yet is under way, as on a long wire, and the owner bounds it.
  uint64_t backlog() const { return pending_.size(); }
  size_t control_backlog() const { return control_; }
  bool empty() const { return pending_.empty(); }

 private:
  std::string pending_;
  uint64_t taken_ = 0;
  uint64_t written_ = 0;
  size_t control_ = 0;  // control frames among the pending bytes
};

}  // namespace breakwire::http2
