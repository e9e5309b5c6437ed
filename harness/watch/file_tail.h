// The lines that are added to a file from now on. Owns one descriptor; never blocks on anything but the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace breakwire::watch {

/// Follows a path and not a file: when another file has taken its name (log rotation by rename) the old one
/// is read to its end and then the new one from its begin; when it has become shorter (rotation by
/// truncation) it is read from its begin. What is truncated away before it was read is lost, and so is what
/// is written to a file later than its successor's first byte was seen.
class FileTail {
 public:
  /// Begins at the present end, or at the begin of a file that does not exist yet. Longer lines are skipped.
  FileTail(std::string path, size_t longest_line);
  ~FileTail();
  FileTail(const FileTail&) = delete;
  FileTail& operator=(const FileTail&) = delete;

  /// Hands over every whole line that is there and was not before, without its newline ("\r\n" too). Answers
  /// whether anything was there, a part of a line included.
  bool read(const std::function<void(std::string_view)>& line);

  uint64_t overlong() const { return overlong_; }  // lines skipped

 private:
  bool open_file();
  bool read_to_end(const std::function<void(std::string_view)>& line);
  void take(std::string_view bytes, const std::function<void(std::string_view)>& line);
  bool replaced() const;
  void begin_again();

  const std::string path_;
  const size_t longest_line_;
  int fd_ = -1;
  int64_t offset_ = 0;
  std::string begun_;      // of a line without its newline
  bool skipping_ = false;  // the rest of an overlong line
  uint64_t overlong_ = 0;
};

}  // namespace breakwire::watch
