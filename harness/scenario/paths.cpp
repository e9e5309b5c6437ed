#include "harness/scenario/paths.h"

#include <vector>

namespace breakwire::scenario {

std::string normal(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part != ".." || (!absolute && (parts.empty() || parts.back() == ".."))) {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string text = absolute ? "/" : "";
  for (size_t i = 0; i < parts.size(); ++i) text.append(i ? "/" : "").append(parts[i]);
  return text.empty() ? "." : text;
}

std::string beside(std::string_view from, std::string_view path) {
  const size_t slash = from.rfind('/');
  if (path.starts_with('/') || slash == std::string_view::npos) return normal(path);
  return normal(std::string(from.substr(0, slash + 1)).append(path));
}

std::string stem(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const size_t dot = name.rfind('.');
  return std::string(name.substr(0, dot == 0 ? std::string_view::npos : dot));
}

}  // namespace breakwire::scenario
