// SETTINGS: payload codec, and who still has to acknowledge what (RELAY.md rules 4 and 5). Pure.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "faults/http2/frame.h"

namespace breakwire::http2 {

enum class SettingId : uint16_t {
  header_table_size = 1,
  enable_push = 2,
  max_concurrent_streams = 3,
  initial_window_size = 4,
  max_frame_size = 5,
  max_header_list_size = 6,
};

struct Setting {
  SettingId id = SettingId::header_table_size;  // any 16-bit value, 0xFE03 among them
  uint32_t value = 0;
  bool operator==(const Setting&) const = default;
};

/// `payload` is a multiple of six bytes. Values that RFC 9113 §6.5.2 forbids are kept; see `forbidden`.
std::vector<Setting> parse_settings(Bytes payload);
std::string serialise(const std::vector<Setting>& settings);
/// What is wrong with a value, in words, or nothing.
std::optional<std::string> forbidden(const Setting& setting);

/// What an announcer accepts, as far as it concerns what is sent to it.
struct PeerSettings {
  uint32_t header_table_size = default_table_size;
  uint32_t initial_window_size = default_window;
  uint32_t max_frame_size = default_frame_size;
  void apply(const std::vector<Setting>& settings);
};

/// SETTINGS frames sent to one peer, in order, each answered by one ACK.
class SettingsQueue {
 public:
  enum class Origin { peer, relay };
  struct Sent {
    Origin origin = Origin::peer;
    std::vector<Setting> settings;  // as they were sent
  };
  void sent(Origin origin, std::vector<Setting> settings) { sent_.push_back({origin, std::move(settings)}); }
  /// The ACK's SETTINGS; nothing when no ACK was due.
  std::optional<Sent> acknowledged();
  size_t pending() const { return sent_.size(); }

 private:
  std::deque<Sent> sent_;
};

}  // namespace breakwire::http2
