// SETTINGS: payload codec, and who still has to acknowledge what (RELAY.md rules 4 and 5). Pure.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
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

/// The value it has in the end, if it is among them: they are taken in order (§6.5.3).
std::optional<uint32_t> last_of(const std::vector<Setting>& settings, SettingId id);

/// The value of a setting that was never announced (§6.5.2); of MAX_CONCURRENT_STREAMS and
/// MAX_HEADER_LIST_SIZE, which are unlimited then, a value that says so. Nothing for settings that have none.
std::optional<uint32_t> initial_value(SettingId id);

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
    std::vector<Setting> genuine;   // as the other peer had announced them
  };
  void sent(Origin origin, std::vector<Setting> settings, std::vector<Setting> genuine = {}) {
    sent_.push_back({origin, std::move(settings), std::move(genuine)});
  }
  /// The ACK's SETTINGS; nothing when no ACK was due.
  std::optional<Sent> acknowledged();
  size_t pending() const { return sent_.size(); }
  /// The smallest of `value` and what the other peer has announced since, not yet acknowledged.
  uint32_t smallest_pending(SettingId id, uint32_t value) const;

 private:
  std::deque<Sent> sent_;
};

/// What one peer announces, and what faults make the other see of it. Where two faults set the same value,
/// that of the one that comes later in the timeline is seen. A table size is only ever made smaller: the
/// announcer could not decode with more.
class Announcement {
 public:
  /// SETTINGS of the announcer's own: answers what goes in their place. What faults have set takes the place
  /// of genuine values, and is added where the other peer has not been told of it.
  std::vector<Setting> rewritten(const std::vector<Setting>& genuine);
  /// From now on a fault, whose place in the timeline is `order`, sets these values.
  void edit(const FaultId& by, const std::map<uint16_t, uint32_t>& values, size_t order = 0);
  /// What the other peer has not been told of yet; from now on it has.
  std::vector<Setting> untold();
  /// The fault sets nothing any more: answers what tells the other peer, the last genuine values or the
  /// initial ones.
  std::vector<Setting> cleared(const FaultId& by);

 private:
  struct Edit {
    FaultId by;
    size_t order = 0;
    std::vector<Setting> values;
    bool told = false;
  };
  /// What the other peer is to see of a setting of which the announcer says `genuine`.
  uint32_t seen(SettingId id, uint32_t genuine) const;
  std::optional<uint32_t> value_of(SettingId id) const;

  std::map<SettingId, uint32_t> genuine_;  // the last value of each
  std::vector<Edit> edits_;                // in the order of the timeline
};

}  // namespace breakwire::http2
