// metadata: fields are set, removed or rewritten on their way.
#include <map>
#include <set>

#include "faults/edit_fields.h"
#include "faults/kinds/make_kind.h"
#include "faults/kinds/metadata_rules.h"

namespace breakwire::faults {
namespace {

class MetadataEdit : public CallFault {
 public:
  std::vector<std::string> remove;
  std::map<std::string, std::string> set;
  std::map<std::string, std::string> rewrite;

  static const Fields<MetadataEdit>& fields() {
    static const auto all =
        Fields<MetadataEdit>()
            .optional("set", &MetadataEdit::set,
                      "Keys and their values: each takes the place of every field of that name, or is added. "
                      "Values of keys in `-bin` as base64.")
            .optional("remove", &MetadataEdit::remove, "Keys: every field of that name is taken away.")
            .optional(
                "rewrite", &MetadataEdit::rewrite,
                "Keys and values: every field of that name that is there gets this value; a call without "
                "one is not hit.")
            .rule(check_names);
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* reached = std::get_if<CallReached>(&event);
    const bool here = reached && reached->fields &&
                      (reached->stage == Stage::headers || reached->stage == Stage::response_headers ||
                       reached->stage == Stage::response_end);
    if (!here) return Forward{};
    EditFields edit{.remove = remove, .set = kinds::metadata_of(set), .rewrite = kinds::metadata_of(rewrite)};
    Metadata would_be = *reached->fields;
    if (!edit_fields(edit, would_be)) return Forward{};
    return edit;
  }

 private:
  static void check_names(const MetadataEdit&, const json::Value& object, ErrorList& errors) {
    const size_t before = errors.size();
    std::set<std::string> seen;
    const auto check_once = [&](const std::string& name, const json::Span& at) {
      if (seen.insert(name).second) return;
      errors.push_back(json::error_at(at, "`" + name + "` is named twice", "say one thing about each key"));
    };
    for (const char* field : {"set", "rewrite"}) {
      if (!object.find(field)) continue;
      for (const json::Member& member : object.find(field)->members) {
        if (check_not_pseudo(member.key, member.key_span, errors) && kinds::check_field(member, errors)) {
          check_once(member.key, member.key_span);
        }
      }
    }
    const json::Value* removed = object.find("remove");
    for (size_t i = 0; removed && i < removed->items.size(); ++i) {
      const json::Value& item = removed->items[i];
      if (check_not_pseudo(item.text, item.span, errors) && kinds::check_key(item.text, item.span, errors)) {
        check_once(item.text, item.span);
      }
    }
    if (seen.empty() && errors.size() == before) {
      errors.push_back(json::error_at(object.span, "`metadata` changes nothing",
                                      "name keys in `set`, `remove` or `rewrite`"));
    }
  }
  static bool check_not_pseudo(const std::string& name, const json::Span& at, ErrorList& errors) {
    if (!name.starts_with(':')) return true;
    errors.push_back(json::error_at(at, "`" + name + "` is a pseudo-field, without which there is no call",
                                    "for another `:status` use the kind `http_status`"));
    return false;
  }
};

}  // namespace

FaultKind metadata_kind() {
  return make_kind<MetadataEdit>({
      .name = "metadata",
      .summary = "Metadata is set, removed or rewritten on its way.",
      .details =
          "On the wire: the fields of one HEADERS frame are changed and everything else of the call "
          "passes as it is: at stage `headers` the request's, at `response_headers` those of the "
          "response's first HEADERS, at `response_end` its trailers'; of a Trailers-Only response one "
          "frame is both. Removal comes first, then `set`, then `rewrite`. What stays keeps its order, "
          "its duplicates and its never-indexed mark. From the first changed block on, the relay encodes "
          "that direction's blocks itself (HPACK is stateful), so their bytes, not their fields, look "
          "different. Pseudo-fields cannot be named; `grpc-status` and all else that gRPC itself reads "
          "are changed when they are named, and not otherwise; without `grpc-status` a response has the "
          "known defect of `missing_trailers`. Fields that are added can make a list larger than the "
          "peer allows (SETTINGS_MAX_HEADER_LIST_SIZE, 8 KiB in gRPC), which is the peer's to refuse.\n\n"
          "Peers see: other metadata, and whatever follows from that: without `authorization` a refusal, "
          "without `traceparent` a trace that begins anew, without `grpc-timeout` a call that has no "
          "deadline. A hit is a call of which something was changed. Events and `match` show requests as "
          "the caller sent them, so what a check says of the service behind this edge "
          "(`deadline_propagated`, `trace`) is about metadata that it never got: keep such calls out of "
          "it. A call whose `grpc-status` was changed has ended by this fault, with the status that the "
          "caller got.\n\n"
          "When it ends: calls pass as before.\n\n"
          "Sources: grpc/grpc doc/PROTOCOL-HTTP2.md (Custom-Metadata, Trailers-Only); RFC 9113 §8.2, "
          "§8.3; RFC 7541 §6.2.3, §7.1.3.",
      .example =
          R"({ "id": "no-trace", "at": "1s", "for": "2s", "on": "storefront->orders", "fault": "metadata", "with": { "remove": ["traceparent"], "set": { "x-tenant": "other" } }, "match": { "method": "shop.v1.OrdersService/*", "stage": "headers" } })",
      .stages = {Stage::headers, Stage::response_headers, Stage::response_end},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
