// The end of a log file, to quote from. Reads files only.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace breakwire::process {

/// In bytes; 0 when there is no such file.
size_t size_of_file(const std::string& path);

/// The last `count` lines written at or after the byte `start`, oldest first; of more than 64 KiB only the
/// last 64 KiB are looked at. The last line counts whether or not it ends in a newline. Lines are cut at 500
/// bytes; control characters except tab are left out; bytes that are not UTF-8 are shown as U+FFFD. No file:
/// no lines.
std::vector<std::string> last_lines(const std::string& path, size_t start, size_t count);

}  // namespace breakwire::process
