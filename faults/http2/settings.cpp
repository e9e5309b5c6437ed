#include "faults/http2/settings.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace breakwire::http2 {
namespace {

/// The setting of that id among them, or nullptr.
auto* find(auto& settings, SettingId id) {
  const auto at =
      std::find_if(settings.begin(), settings.end(), [id](const Setting& one) { return one.id == id; });
  return at == settings.end() ? nullptr : &*at;
}

}  // namespace

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

std::optional<uint32_t> last_of(const std::vector<Setting>& settings, SettingId id) {
  std::optional<uint32_t> value;
  for (const Setting& setting : settings) {
    if (setting.id == id) value = setting.value;
  }
  return value;
}

std::optional<uint32_t> initial_value(SettingId id) {
  switch (id) {
    case SettingId::header_table_size:
      return default_table_size;
    case SettingId::max_concurrent_streams:
      return 0x7fffffff;
    case SettingId::initial_window_size:
      return default_window;
    case SettingId::max_frame_size:
      return default_frame_size;
    case SettingId::max_header_list_size:
      return 0xffffffff;
    default:
      return std::nullopt;
  }
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

uint32_t SettingsQueue::smallest_pending(SettingId id, uint32_t value) const {
  for (const Sent& sent : sent_) value = std::min(value, last_of(sent.genuine, id).value_or(value));
  return value;
}

std::vector<Setting> Announcement::rewritten(const std::vector<Setting>& genuine) {
  std::vector<Setting> result = genuine;
  for (Setting& setting : result) {
    genuine_[setting.id] = setting.value;
    setting.value = seen(setting.id, setting.value);
  }
  for (const Setting& setting : untold()) {
    if (!find(result, setting.id)) result.push_back(setting);
  }
  return result;
}

void Announcement::edit(const FaultId& by, const std::map<uint16_t, uint32_t>& values, size_t order) {
  std::vector<Setting> wanted;
  for (const auto& [id, value] : values) wanted.push_back({static_cast<SettingId>(id), value});
  for (Edit& edit : edits_) {
    if (edit.by != by) continue;
    if (edit.values != wanted) edit = {.by = by, .order = edit.order, .values = std::move(wanted)};
    return;
  }
  const auto earlier = [](size_t place, const Edit& edit) { return place < edit.order; };
  edits_.insert(std::upper_bound(edits_.begin(), edits_.end(), order, earlier),
                {.by = by, .order = order, .values = std::move(wanted)});
}

std::vector<Setting> Announcement::untold() {
  std::vector<Setting> news;
  for (Edit& edit : edits_) {
    if (std::exchange(edit.told, true)) continue;
    for (const Setting& setting : edit.values) {
      const uint32_t value = value_of(setting.id).value_or(setting.value);
      if (!find(news, setting.id)) news.push_back({setting.id, value});
    }
  }
  return news;
}

std::vector<Setting> Announcement::cleared(const FaultId& by) {
  const auto ended =
      std::find_if(edits_.begin(), edits_.end(), [&](const Edit& edit) { return edit.by == by; });
  if (ended == edits_.end()) return {};
  std::vector<Setting> before = ended->told ? ended->values : std::vector<Setting>{};
  for (Setting& setting : before) setting.value = value_of(setting.id).value_or(setting.value);
  edits_.erase(ended);
  std::vector<Setting> after;
  for (const Setting& was : before) {
    const auto value = value_of(was.id);
    if (value && *value != was.value) after.push_back({was.id, *value});
  }
  return after;
}

uint32_t Announcement::seen(SettingId id, uint32_t genuine) const {
  uint32_t value = genuine;
  for (const Edit& edit : edits_) {
    const Setting* set = find(edit.values, id);
    if (set) value = id == SettingId::header_table_size ? std::min(value, set->value) : set->value;
  }
  return value;
}

std::optional<uint32_t> Announcement::value_of(SettingId id) const {
  if (const auto known = genuine_.find(id); known != genuine_.end()) return seen(id, known->second);
  if (const auto initial = initial_value(id)) return seen(id, *initial);
  for (auto edit = edits_.rbegin(); edit != edits_.rend(); ++edit) {
    if (const Setting* set = find(edit->values, id)) return set->value;
  }
  return std::nullopt;
}

}  // namespace breakwire::http2
