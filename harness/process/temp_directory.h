// A temporary directory that belongs to an object. Touches the guard and the file system.
#pragma once

#include <string>

#include "harness/process/guard.h"

namespace breakwire::process {

/// $TMPDIR, or /tmp.
std::string temporary_place();

/// A fresh directory breakwire-XXXXXX, mode 0700. Removed with everything in it by the destructor, or by the
/// guard when breakwire ends in any other way: the guard makes it, so there is no moment in which nobody
/// would remove it.
class TempDirectory {
 public:
  /// Throws std::system_error, with a sentence, when it cannot be made.
  explicit TempDirectory(Guard& guard, const std::string& parent = temporary_place());
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }  // absolute, without a slash at the end

 private:
  Guard& guard_;
  std::string path_;
};

}  // namespace breakwire::process
