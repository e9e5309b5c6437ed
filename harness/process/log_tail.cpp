#include "harness/process/log_tail.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace breakwire::process {
namespace {

constexpr size_t longest_look = 64 * 1024;
constexpr size_t longest_line = 500;

/// How many bytes the UTF-8 sequence at the front has (RFC 3629); 0 when it is none.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (length == 3 && ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0))) return 0;
  if (length == 4 && ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90))) return 0;
  return length;
}

std::string presentable(std::string_view line) {
  std::string result;
  while (!line.empty() && result.size() < longest_line) {
    const size_t length = sequence_length(line);
    const bool control =
        length == 1 && line[0] != '\t' && (static_cast<unsigned char>(line[0]) < 0x20 || line[0] == 0x7F);
    if (length == 0)
      result += "\xEF\xBF\xBD";
    else if (!control)
      result += line.substr(0, length);
    line.remove_prefix(std::max<size_t>(length, 1));
  }
  return line.empty() ? result : result + "…";
}

}  // namespace

size_t size_of_file(const std::string& path) {
  std::error_code error;
  const auto size = path.empty() ? 0 : std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<size_t>(size);
}

std::vector<std::string> last_lines(const std::string& path, size_t start, size_t count) {
  const size_t size = size_of_file(path);
  if (size <= start) return {};
  const size_t from = std::max(start, size > longest_look ? size - longest_look : 0);
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(from));
  std::string text(size - from, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));

  std::vector<std::string> lines;
  std::string_view rest(text);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  while (lines.size() < count) {
    const size_t newline = rest.rfind('\n');
    lines.push_back(presentable(newline == std::string_view::npos ? rest : rest.substr(newline + 1)));
    if (newline == std::string_view::npos) break;
    rest = rest.substr(0, newline);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace breakwire::process
