#include "harness/load/expansion.h"

namespace breakwire::load {

std::string expand(std::string_view text, const CallIds& ids) {
  std::string out;
  out.reserve(text.size() + 36);
  while (!text.empty()) {
    if (text.starts_with("$${")) {
      out += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${uuid}")) {
      out += ids.uuid;
      text.remove_prefix(7);
    } else if (text.starts_with("${call}")) {
      out += ids.call_id;
      text.remove_prefix(7);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

json::Value expand_all(const json::Value& request, const CallIds& ids) {
  json::Value out = request;
  if (out.is(json::Kind::string)) out.text = expand(request.text, ids);
  for (auto& item : out.items) item = expand_all(item, ids);
  for (auto& member : out.members) member.value = expand_all(member.value, ids);
  return out;
}

bool varies(const json::Value& request) {
  if (request.is(json::Kind::string)) return request.text.find("${") != std::string::npos;
  for (const auto& item : request.items) {
    if (varies(item)) return true;
  }
  for (const auto& member : request.members) {
    if (varies(member.value)) return true;
  }
  return false;
}

}  // namespace breakwire::load
