#include "faults/kinds/match_fields.h"

#include <algorithm>
#include <cctype>

#include "faults/kinds/make_kind.h"
#include "faults/kinds/names.h"

namespace breakwire {
namespace {

/// `calls` as files write it.
struct CallsText {
  std::optional<uint64_t> first, nth, every;
  std::optional<Percent> percent;

  static const Fields<CallsText>& fields() {
    static const auto all =
        Fields<CallsText>()
            .optional("first", &CallsText::first, "The first so many eligible calls.")
            .optional("nth", &CallsText::nth, "Only this one of the eligible calls, counted from 1.")
            .optional("every", &CallsText::every, "Each so-many-th eligible call: 3 hits the 3rd, 6th, 9th.")
            .optional(
                "percent", &CallsText::percent,
                "This share of the eligible calls. Which ones follows from the seed, the fault's id, the "
                "call's trace id and its attempt alone, so a replay hits the same calls.")
            .rule([](const CallsText& calls, const json::Value& object, ErrorList& errors) {
              const int given = calls.first.has_value() + calls.nth.has_value() + calls.every.has_value() +
                                calls.percent.has_value();
              if (given != 1) {
                errors.push_back(json::error_at(object.span, "`calls` needs exactly one way to select",
                                                "write one of `first`, `nth`, `every`, `percent`"));
              }
            })
            .rule([](const CallsText& calls, const json::Value& object, ErrorList& errors) {
              if (calls.first != 0u && calls.nth != 0u && calls.every != 0u) return;
              const json::Span& at = object.members.front().value.span;
              errors.push_back(json::error_at(at, "no call has the number 0", "calls are counted from 1"));
            });
    return all;
  }
};

}  // namespace

template <>
struct Codec<faults::CallSelection> {
  static bool read(const json::Value& value, faults::CallSelection& out, ErrorList& errors) {
    CallsText text;
    if (!CallsText::fields().read(value, text, errors)) return false;
    out = {.first = text.first, .nth = text.nth, .every = text.every, .percent = std::nullopt};
    if (text.percent) out.percent = text.percent->value;
    return true;
  }
  static json::Value schema() {
    json::Value schema = CallsText::fields().schema();
    schema.set("minProperties", 1);
    schema.set("maxProperties", 1);
    return schema;
  }
  static std::string type() { return "one of first, nth, every, percent"; }
  static std::string show(const faults::CallSelection&) { return ""; }
};

}  // namespace breakwire

namespace breakwire::faults {
namespace {

void check_method(const Match& match, const json::Value& object, ErrorList& errors) {
  if (!match.method) return;
  const std::string& method = *match.method;
  const json::Span& at = object.find("method")->span;
  if (method.starts_with('/')) {
    errors.push_back(json::error_at(at, "methods are written without a leading `/`",
                                    "write \"" + method.substr(1) + "\""));
  } else if (method.find('/') == std::string::npos && method.find('*') == std::string::npos) {
    errors.push_back(
        json::error_at(at, "`" + method + "` can match no method",
                       "methods are \"pkg.Service/Method\"; `*` matches anything: \"*/" + method + "\""));
  }
}

void check_attempts(const Match& match, const json::Value& object, ErrorList& errors) {
  if (match.attempts != 0u) return;
  errors.push_back(json::error_at(object.find("attempts")->span, "`attempts` of 0 matches no call",
                                  "1 matches the first attempt of each call only"));
}

const Fields<Match>& all_fields() {
  static const auto all =
      Fields<Match>()
          .optional(
              "direction", &Match::direction,
              "One way only: `request` from the caller to the service, `response` back. Left out: both.")
          .optional("connections", &Match::connections,
                    "`existing`: open when the fault came into force; `new`: accepted since; `all`.")
          .optional("method", &Match::method,
                    "Calls of these methods, as \"pkg.Service/Method\"; `*` matches any run of characters.")
          .optional(
              "metadata", &Match::metadata,
              "Calls whose request metadata has all of these keys with such values; `*` matches any run "
              "of characters. Of keys in `-bin` it is the base64 form that is matched. `authorization` may "
              "be "
              "used; its value reaches no report.")
          .optional(
              "calls", &Match::calls,
              "Which of the calls that all else selects: `{\"first\": 5}`, the first 5; `{\"nth\": 3}`, only "
              "the 3rd; `{\"every\": 3}`, the 3rd, 6th, 9th and so on; `{\"percent\": \"30%\"}`, that share, "
              "which follows from the seed, so that a replay hits the same calls. `nth` and `every` count in "
              "order of arrival and are reproducible only when calls come one at a time.")
          .optional(
              "attempts", &Match::attempts,
              "Only the first so many attempts of each call (grpc-previous-rpc-attempts, gRFC A6): with 1 "
              "a retry gets through.")
          .optional("message", &Match::message,
                    "At the message stages: only the message of this index, from 0.")
          .optional("stage", &Match::stage, "How far a call has come when the fault acts on it.")
          .rule(check_method)
          .rule(check_attempts);
  return all;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::vector<std::string> names_of(const std::vector<Stage>& stages) {
  std::vector<std::string> names;
  for (const Stage stage : stages) names.push_back(Codec<Stage>::show(stage));
  return names;
}

std::string_view noun(FaultClass fault_class) {
  switch (fault_class) {
    case FaultClass::transport:
      return "a transport fault";
    case FaultClass::call:
      return "a call fault";
    case FaultClass::process:
      return "a process fault";
  }
  return "";
}

std::string what_it_matches_by(const FaultKind& kind) {
  std::string text = "`" + kind.name + "` is " + std::string(noun(kind.fault_class));
  if (kind.matches_by.empty()) return text + " and takes no `match`";
  text += " and matches by ";
  for (size_t i = 0; i < kind.matches_by.size(); ++i) text += (i ? ", `" : "`") + kind.matches_by[i] + "`";
  return text;
}

/// The members that this kind may have; every other one is an error.
json::Value only_own_keys(const FaultKind& kind, const json::Value& match, ErrorList& errors) {
  std::vector<std::string> known;
  for (const FieldInfo& field : all_fields().info()) known.push_back(field.name);
  json::Value own = match;
  own.members.clear();
  for (const auto& member : match.members) {
    if (contains(kind.matches_by, member.key)) {
      own.members.push_back(member);
    } else if (contains(known, member.key)) {
      errors.push_back(json::error_at(member.key_span,
                                      "`" + kind.name + "` cannot match by `" + member.key + "`",
                                      what_it_matches_by(kind)));
    } else {
      const std::string near = closest(member.key, kind.matches_by);
      errors.push_back(
          json::error_at(member.key_span, "unknown key `" + member.key + "`",
                         near.empty() ? what_it_matches_by(kind) : "did you mean `" + near + "`?"));
    }
  }
  return own;
}

// Field names are lower case on the wire (RFC 9113 §8.2), and gRPC's metadata keys are compared without case.
void lower_names(Match& match) {
  std::map<std::string, std::string> lowered;
  for (const auto& [name, pattern] : match.metadata) {
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    lowered.emplace(std::move(lower), pattern);
  }
  match.metadata = std::move(lowered);
}

}  // namespace

std::vector<std::string> kinds::call_match_keys(const std::vector<Stage>& stages) {
  std::vector<std::string> keys{"method", "metadata", "calls", "attempts"};
  const auto at_message = [](Stage stage) {
    return stage == Stage::request_message || stage == Stage::response_message;
  };
  if (std::any_of(stages.begin(), stages.end(), at_message)) keys.emplace_back("message");
  if (!stages.empty()) keys.emplace_back("stage");
  return keys;
}

Match default_match(const FaultKind& kind) {
  Match match;
  match.connections = kind.connections;
  if (!kind.stages.empty()) match.stage = kind.stages.front();
  return match;
}

std::optional<Match> read_match(const FaultKind& kind, const json::Value& match, ErrorList& errors) {
  if (match.kind != json::Kind::object) {
    described::wrong_kind(match, "an object", errors);
    return std::nullopt;
  }
  const size_t before = errors.size();
  const json::Value own = only_own_keys(kind, match, errors);
  Match read = default_match(kind);
  if (all_fields().read(own, read, errors) && own.find("stage") &&
      std::find(kind.stages.begin(), kind.stages.end(), *read.stage) == kind.stages.end()) {
    const json::Value& stage = *own.find("stage");
    errors.push_back(json::error_at(stage.span,
                                    "`" + kind.name + "` cannot act at stage `" + stage.text + "`",
                                    did_you_mean(stage.text, names_of(kind.stages))));
  }
  const bool message_stage = read.stage == Stage::request_message || read.stage == Stage::response_message;
  if (const json::Value* message = own.find("message");
      message && !message_stage && errors.size() == before) {
    errors.push_back(json::error_at(message->span, "`message` needs a stage at which there is one",
                                    "add `\"stage\": \"request_message\"` or `\"response_message\"`"));
  }
  if (errors.size() != before) return std::nullopt;
  lower_names(read);
  return read;
}

bool fits_without_length(const FaultKind& kind, const Match& match, const json::Value& written,
                         ErrorList& errors) {
  if (kind.lifetime != Lifetime::optional_span || match.connections != Connections::fresh) return true;
  const json::Value* connections = written.find("connections");
  errors.push_back(
      json::error_at(connections ? connections->span : written.span,
                     "without `for`, `" + kind.name + "` acts at one moment, at which no connection is new",
                     "say for how long new connections are to be hit: \"for\": \"500ms\""));
  return false;
}

std::vector<FieldInfo> match_fields(const FaultKind& kind) {
  const Match defaults = default_match(kind);
  std::vector<FieldInfo> fields;
  for (FieldInfo field : all_fields().info()) {
    if (!contains(kind.matches_by, field.name)) continue;
    if (field.name == "connections") field.default_text = Codec<Connections>::show(defaults.connections);
    if (field.name == "stage") {
      field.default_text = Codec<std::optional<Stage>>::show(defaults.stage);
      field.schema = described::name_schema(names_of(kind.stages));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

json::Value match_schema(const FaultKind& kind) { return described::object_schema(match_fields(kind)); }

std::vector<FieldInfo> match_fields(FaultClass fault_class) {
  std::vector<std::string> keys;
  if (fault_class == FaultClass::transport) keys = {"direction", "connections"};
  if (fault_class == FaultClass::call) keys = {"method", "metadata", "calls", "attempts", "message", "stage"};
  std::vector<FieldInfo> fields;
  for (FieldInfo field : all_fields().info()) {
    if (contains(keys, field.name)) fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace breakwire::faults
