#pragma once
// The streams a process serves, so that they can be asked to end before it goes: one that stays open would
// hold the drain to its end.

#include <memory>
#include <mutex>
#include <set>

namespace breakwire::kit {

class OpenStream {
 public:
  virtual ~OpenStream() = default;

  /// The process is about to go: end soon, with UNAVAILABLE. From any thread; more than once means the same.
  virtual void leave() = 0;
};

/// Thread-safe. Owns the streams from `add` to `remove`.
class OpenStreams {
 public:
  /// Who comes after `leave_all` is asked to leave at once.
  void add(std::shared_ptr<OpenStream> stream);

  /// gRPC is done with it.
  void remove(const OpenStream& stream);

  void leave_all();

 private:
  std::mutex mutex_;
  std::set<std::shared_ptr<OpenStream>> streams_;
  bool leaving_ = false;
};

}  // namespace breakwire::kit
