#include "services/kit/open_streams.h"

#include <algorithm>

namespace breakwire::kit {

void OpenStreams::add(std::shared_ptr<OpenStream> stream) {
  bool leaving = false;
  {
    std::lock_guard lock(mutex_);
    streams_.insert(stream);
    leaving = leaving_;
  }
  if (leaving) stream->leave();
}

void OpenStreams::remove(const OpenStream& stream) {
  std::shared_ptr<OpenStream> last;  // ends outside the lock
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find(streams_, &stream, [](const auto& each) { return each.get(); });
  if (found == streams_.end()) return;
  last = *found;
  streams_.erase(found);
}

void OpenStreams::leave_all() {
  std::set<std::shared_ptr<OpenStream>> streams;
  {
    std::lock_guard lock(mutex_);
    leaving_ = true;
    streams = streams_;
  }
  for (const auto& stream : streams) stream->leave();
}

}  // namespace breakwire::kit
