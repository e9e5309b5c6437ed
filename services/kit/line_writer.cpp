#include "services/kit/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>

namespace breakwire::kit {

LineWriter::LineWriter(int fd, std::size_t capacity)
    : fd_(fd), capacity_(capacity), thread_([this] { run(); }) {}

LineWriter::~LineWriter() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LineWriter::write(std::string line) {
  {
    std::lock_guard lock(mutex_);
    if (lines_.size() >= capacity_) {
      ++dropped_;
      return;
    }
    lines_.push_back(std::move(line));
  }
  changed_.notify_all();
}

void LineWriter::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(200), [this] { return lines_.empty() && !writing_; });
}

std::uint64_t LineWriter::dropped() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

void LineWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !lines_.empty() || dropped_ > dropped_told_; });
    if (lines_.empty() && dropped_ == dropped_told_) return;
    std::deque<std::string> batch;
    batch.swap(lines_);
    std::uint64_t lost = dropped_ - dropped_told_;
    dropped_told_ = dropped_;
    writing_ = true;
    lock.unlock();
    std::string bytes;
    for (const auto& line : batch) (bytes += line) += '\n';
    if (lost > 0) bytes += R"({"event":"log_lines_dropped","count":)" + std::to_string(lost) + "}\n";
    bool written = send(bytes);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
    if (!written) {  // nobody reads any more, so there is nobody to tell either
      dropped_ += batch.size() + lines_.size();
      dropped_told_ = dropped_;
      lines_.clear();
      if (closing_) return;
    }
  }
}

bool LineWriter::send(std::string_view bytes) {
  using namespace std::chrono_literals;
  auto patience = 200ms;
  while (!bytes.empty()) {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    int ready = ::poll(&writable, 1, 20);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) {
      std::lock_guard lock(mutex_);
      if (closing_ && (patience -= 20ms) <= 0ms) return false;
      continue;
    }
    // After POLLOUT a pipe takes PIPE_BUF bytes without blocking.
    ssize_t sent = ::write(fd_, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace breakwire::kit
