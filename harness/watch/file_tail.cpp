#include "harness/watch/file_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace breakwire::watch {

FileTail::FileTail(std::string path, size_t longest_line)
    : path_(std::move(path)), longest_line_(longest_line) {
  if (!open_file()) return;
  struct stat file {};
  if (::fstat(fd_, &file) == 0) offset_ = file.st_size;
}

FileTail::~FileTail() {
  if (fd_ >= 0) ::close(fd_);
}

bool FileTail::read(const std::function<void(std::string_view)>& line) {
  if (fd_ < 0 && !open_file()) return false;
  struct stat file {};
  if (::fstat(fd_, &file) == 0 && file.st_size < offset_) begin_again();
  bool any = read_to_end(line);
  if (replaced()) {
    any =
        read_to_end(line) || any;  // what was written between the last reading and the new file's first byte
    ::close(fd_);
    fd_ = -1;
    begin_again();
    any = (open_file() && read_to_end(line)) || any;
  }
  return any;
}

bool FileTail::open_file() {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  return fd_ >= 0;
}

/// Another file goes by the name, and something is in it.
bool FileTail::replaced() const {
  struct stat mine {
  }, named{};
  if (::fstat(fd_, &mine) != 0 || ::stat(path_.c_str(), &named) != 0) return false;
  return (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev) && named.st_size > 0;
}

void FileTail::begin_again() {
  offset_ = 0;
  begun_.clear();
  skipping_ = false;
}

bool FileTail::read_to_end(const std::function<void(std::string_view)>& line) {
  std::array<char, 64 * 1024> bytes;
  bool any = false;
  for (;;) {
    const ssize_t size = ::pread(fd_, bytes.data(), bytes.size(), offset_);
    if (size <= 0) return any;
    any = true;
    offset_ += size;
    take({bytes.data(), static_cast<size_t>(size)}, line);
  }
}

void FileTail::take(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (!skipping_ && begun_.size() + part.size() > longest_line_) {
      skipping_ = true;
      ++overlong_;
      begun_.clear();
    }
    if (!skipping_) begun_ += part;
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    if (!skipping_) {
      if (begun_.ends_with('\r')) begun_.pop_back();
      line(begun_);
    }
    skipping_ = false;
    begun_.clear();
  }
}

}  // namespace breakwire::watch
