#pragma once
// Lines to a file descriptor without ever making the caller wait. Owns one thread; does not own the
// descriptor.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace breakwire::kit {

/// A bounded queue of lines and the thread that writes them. A full queue (a reader that stopped reading)
/// drops lines rather than hold up a call; how many is told in a line of its own as soon as there is room
/// again, whether or not another line comes:
/// {"event":"log_lines_dropped","count":17}.
class LineWriter {
 public:
  explicit LineWriter(int fd, std::size_t capacity = 8192);

  /// Writes what is queued, for at most 200 ms, then gives up.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// Queues `line` (without its newline). Never blocks on the descriptor.
  void write(std::string line);

  /// Waits until what is queued is written, for at most 200 ms.
  void flush();

  /// Lines dropped since the start, those included that the descriptor refused.
  std::uint64_t dropped() const;

 private:
  void run();
  bool send(std::string_view bytes);

  const int fd_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool writing_ = false;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
  bool closing_ = false;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace breakwire::kit
