#include "faults/http2/settings.h"

#include <cassert>

namespace breakwire::http2 {

std::vector<Setting> parse_settings(Bytes payload) {
  assert(payload.size() % 6 == 0);
  std::vector<Setting> settings;
  settings.reserve(payload.size() / 6);
  for (size_t i = 0; i + 6 <= payload.size(); i += 6) {
    settings.push_back({static_cast<SettingId>(read_u16(&payload[i])), read_u32(&payload[i + 2])});
  }
  return settings;
}

std::string serialise(const std::vector<Setting>& settings) {
  std::string out;
  for (const Setting& setting : settings) {
    append_u16(out, static_cast<uint16_t>(setting.id));
    append_u32(out, setting.value);
  }
  return out;
}

std::optional<std::string> forbidden(const Setting& setting) {
  switch (setting.id) {
    case SettingId::enable_push:
      if (setting.value > 1) return "ENABLE_PUSH is neither 0 nor 1";
      break;
    case SettingId::initial_window_size:
      if (setting.value > max_window) return "INITIAL_WINDOW_SIZE is above 2^31-1";
      break;
    case SettingId::max_frame_size:
      if (setting.value < default_frame_size || setting.value > 0xffffff) {
        return "MAX_FRAME_SIZE is outside 2^14..2^24-1";
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

void PeerSettings::apply(const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (setting.id == SettingId::header_table_size) header_table_size = setting.value;
    if (setting.id == SettingId::initial_window_size) initial_window_size = setting.value;
    if (setting.id == SettingId::max_frame_size) max_frame_size = setting.value;
  }
}

std::optional<SettingsQueue::Sent> SettingsQueue::acknowledged() {
  if (sent_.empty()) return std::nullopt;
  Sent first = std::move(sent_.front());
  sent_.pop_front();
  return first;
}

}  // namespace breakwire::http2
