// settings: what a side announces in SETTINGS is not what the other side gets to see.
#include <array>
#include <limits>

#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class Announcer { service, caller };
}

template <>
struct breakwire::EnumNames<breakwire::faults::Announcer> {
  using E = faults::Announcer;
  static std::string type() { return "side that announces"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"service", E::service}, {"caller", E::caller}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class Settings : public TransportFault {
 public:
  Announcer of = Announcer::service;
  std::optional<unsigned> max_concurrent_streams;
  std::optional<ByteSize> initial_window_size;
  std::optional<ByteSize> max_frame_size;
  std::optional<ByteSize> max_header_list_size;
  std::optional<ByteSize> header_table_size;

  static const Fields<Settings>& fields() {
    static const auto all =
        Fields<Settings>()
            .optional("of", &Settings::of,
                      "Whose announcement is changed: the `service`'s, which binds the caller, or the "
                      "`caller`'s, which binds the service.")
            .optional("max_concurrent_streams", &Settings::max_concurrent_streams,
                      "SETTINGS_MAX_CONCURRENT_STREAMS: so many calls at a time. Of the service only.")
            .optional(
                "initial_window_size", &Settings::initial_window_size,
                "SETTINGS_INITIAL_WINDOW_SIZE: how much of each call's DATA may be sent before the receiver "
                "gives more; \"0B\" to \"2147483647B\".")
            .optional("max_frame_size", &Settings::max_frame_size,
                      "SETTINGS_MAX_FRAME_SIZE: the largest payload of a frame; \"16384B\" to \"16777215B\".")
            .optional(
                "max_header_list_size", &Settings::max_header_list_size,
                "SETTINGS_MAX_HEADER_LIST_SIZE: how much metadata a call may have, names, values and 32 "
                "bytes for each field.")
            .optional(
                "header_table_size", &Settings::header_table_size,
                "SETTINGS_HEADER_TABLE_SIZE: the dynamic table of HPACK; at most \"4096B\", and never more "
                "than was announced.")
            .rule([](const Settings& settings, const json::Value& object, ErrorList& errors) {
              settings.check_values(object, errors);
            });
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* control = std::get_if<ControlReached>(&event);
    const bool to_caller = of == Announcer::service;
    const bool announces = control && control->frame == ControlFrame::settings &&
                           (control->direction == Direction::response) == to_caller;
    if (!announces && !std::holds_alternative<ConnectionFound>(event)) return Forward{};
    EditSettings edit{.to_caller = to_caller};
    if (max_concurrent_streams) edit.values[3] = *max_concurrent_streams;
    for (const Size& size : sizes) {
      const auto& value = this->*size.member;
      if (value) edit.values[size.identifier] = static_cast<uint32_t>(value->bytes);
    }
    return edit;
  }

 private:
  struct Size {
    const char* name;
    std::optional<ByteSize> Settings::*member;
    uint16_t identifier;
    uint64_t least;
    uint64_t most;
    const char* says;
  };
  static const std::array<Size, 4> sizes;

  /// RFC 9113 §6.5.2.
  void check_values(const json::Value& object, ErrorList& errors) const {
    bool any = max_concurrent_streams.has_value();
    for (const Size& size : sizes) {
      const auto& value = this->*size.member;
      if (!value) continue;
      any = true;
      if (value->bytes >= size.least && value->bytes <= size.most) continue;
      errors.push_back(json::error_at(
          object.find(size.name)->span,
          "`" + std::string(size.name) + "` cannot be " + std::to_string(value->bytes) + " bytes",
          size.says));
    }
    if (max_concurrent_streams && of == Announcer::caller) {
      errors.push_back(
          json::error_at(object.find("max_concurrent_streams")->span,
                         "a caller's `max_concurrent_streams` limits pushed streams, of which gRPC "
                         "has none",
                         "remove it, or change the service's: \"of\": \"service\""));
    }
    if (!any) {
      errors.push_back(json::error_at(object.span, "`settings` changes nothing",
                                      "add one, such as \"max_concurrent_streams\": 1"));
    }
  }
};

const std::array<Settings::Size, 4> Settings::sizes{{
    {"initial_window_size", &Settings::initial_window_size, 4, 0, 0x7fffffff,
     "RFC 9113 §6.5.2 allows at most 2147483647 (2^31-1)"},
    {"max_frame_size", &Settings::max_frame_size, 5, 16'384, 0xffffff,
     "RFC 9113 §6.5.2 allows 16384 (2^14) to 16777215 (2^24-1)"},
    {"max_header_list_size", &Settings::max_header_list_size, 6, 0, std::numeric_limits<uint32_t>::max(),
     "the setting has 32 bits: at most 4294967295"},
    {"header_table_size", &Settings::header_table_size, 1, 0, 4096,
     "write at most \"4096B\": nobody could decode with a larger table than was announced"},
}};

}  // namespace

FaultKind settings_kind() {
  return make_kind<Settings>({
      .name = "settings",
      .summary = "One side's SETTINGS reach the other with other values than it has announced.",
      .details =
          "On the wire: on connections that are open, a SETTINGS frame with these values is added, and its "
          "ACK is not passed on; in SETTINGS that the side sends itself, on new connections the first ones, "
          "the values are replaced or added. What a larger window or frame size than the announcer's lets "
          "in, the relay keeps and cuts until the announcer takes it; of a smaller window the announcer "
          "knows nothing, so the relay opens it again, for what it has passed on, as long as the announcer's "
          "own is open. A larger `max_concurrent_streams` than the announcer's lets callers exceed its "
          "limit, and C-core's server closes the connection on that.\n\n"
          "Peers see: a peer that is configured like this. With `max_concurrent_streams` 1, calls of one "
          "connection wait in the caller for each other, with 0 all of them wait, and those with a deadline "
          "end with DEADLINE_EXCEEDED without having been on the wire. With a small `initial_window_size` "
          "messages travel in small portions, a round trip each; with 0 they hang. Metadata above "
          "`max_header_list_size` fails the call in a caller that heeds it, with RESOURCE_EXHAUSTED.\n\n"
          "When it ends: the last values that the side has announced are sent, and of those it never "
          "announced "
          "the initial ones (2^31-1 for an unlimited number of streams).\n\n"
          "Sources: RFC 9113 §5.1.2, §6.5, §6.5.2, §6.5.3; RFC 7541 §4.2; grpc/grpc doc/PROTOCOL-HTTP2.md.",
      .example =
          R"({ "id": "one-at-a-time", "at": "1s", "for": "3s", "on": "storefront->orders", "fault": "settings", "with": { "max_concurrent_streams": 1 } })",
      .matches_by = {"connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
