// `expect` and `waive`: what must hold, and in which window.
#include "harness/scenario/when.h"

namespace breakwire::scenario {
namespace {

using checks::CheckKind;
using checks::Reference;
using history::Relation;
using json::Kind;
using json::Value;

struct ExpectText {
  Name check;
  std::optional<Id> id;
  std::optional<Name> during, before, after;
  Count min_samples;

  static const Fields<ExpectText>& fields() {
    static const auto all =
        Fields<ExpectText>()
            .required("check", &ExpectText::check, "Its kind; `breakwire list checks` shows all.")
            .optional("id", &ExpectText::id, "Its name in reports and twins; left out: its kind.")
            .optional("during", &ExpectText::during, "Judge from the start to the end of this fault.")
            .optional("before", &ExpectText::before,
                      "Judge from the start of the load to the start of this fault.")
            .optional(
                "after", &ExpectText::after,
                "Judge from the end of this fault on (of an instantaneous one: from its start); \"f.start\", "
                "\"f.first_hit\" and \"f.end\" choose the moment.")
            .optional("min_samples", &ExpectText::min_samples,
                      "With fewer to judge from, it is inconclusive.");
    return all;
  }
};

std::vector<std::string> names_in(const std::vector<FieldInfo>& fields) {
  std::vector<std::string> names;
  for (const FieldInfo& field : fields) names.push_back(field.name);
  return names;
}

/// Cuts ".first_hit" off a fault's name.
std::string take_mark(Name& name) {
  const size_t dot = name.text.find('.');
  if (dot == std::string::npos) return "";
  std::string mark = name.text.substr(dot + 1);
  name.text.resize(dot);
  return mark;
}

class ExpectReader {
 public:
  ExpectReader(const Value& entry, const Names& names, ErrorList& errors)
      : object_(entry), names_(names), errors_(errors) {}

  std::optional<Expectation> read() {
    const size_t before = errors_.size();
    std::vector<std::string> everything;  // which keys are known is for the kind to say
    for (const auto& member : object_.members) everything.push_back(member.key);
    ExpectText::fields().read(object_, text_, errors_, everything);
    if (!object_.is(Kind::object)) return std::nullopt;
    read_kind();
    read_window();
    if (errors_.size() != before) return std::nullopt;
    out_.spec.kind = text_.check.text;
    out_.spec.name = text_.id ? text_.id->text : text_.check.text;
    out_.spec.min_samples = text_.min_samples.value;
    out_.entry = object_;
    return std::move(out_);
  }

 private:
  void error(const json::Span& span, std::string what, std::string hint) {
    errors_.push_back(json::error_at(span, std::move(what), std::move(hint)));
  }

  void read_kind() {
    if (text_.check.text.empty()) return;
    const CheckKind* kind = checks::find_check_kind(text_.check.text);
    if (!kind) {
      error(text_.check.span, "unknown check `" + text_.check.text + "`",
            did_you_mean(text_.check.text, checks::check_kind_names()));
      return;
    }
    if (text_.id && text_.id->text != kind->name && checks::find_check_kind(text_.id->text))
      error(text_.id->span, "`" + text_.id->text + "` is the name of another kind of check",
            "choose another id");
    out_.spec.check = kind->make(object_, names_in(ExpectText::fields().info()), errors_);
    // By the types of the parameters, so that names are looked up in an entry that has other errors too.
    for (const FieldInfo& field : kind->parameters) {
      if (const Value* written = object_.find(field.name)) read_names(*written, field.type);
    }
    if (!out_.spec.check) return;
    check_wishes(object_, *out_.spec.check, names_, errors_);
    for (const Reference& reference : out_.spec.check->references()) {
      const Value* written = object_.find(reference.key);
      look_up({reference.name, written ? place_in(*written, reference.name) : object_.span}, reference.to);
    }
    for (const checks::Wish& wish : out_.spec.check->wishes()) require_source(wish);
  }

  /// What a check wants to be seen must be there to be looked at.
  void require_source(const checks::Wish& wish) {
    const auto require = [&](const ServiceId& id, const char* key, const auto& given, const char* hint) {
      const auto found = names_.services.find(id.text);
      if (found == names_.services.end() || !found->second || given(*found->second)) return;
      const Value* written = object_.find("service");
      error(written ? written->span : object_.span,
            "service `" + id.text + "` has no `" + key + "` that this check could look at", hint);
    };
    if (const auto* log = std::get_if<checks::LogWish>(&wish)) {
      require(
          log->service, "log", [](const Service& service) { return service.log.has_value(); },
          "say how it logs: \"log\": {} for JSON lines with method, code, duration_ms and trace_id");
    } else if (const auto* metric = std::get_if<checks::MetricWish>(&wish)) {
      require(
          metric->service, "metrics", [](const Service& service) { return service.metrics.has_value(); },
          "give it the URL: \"metrics\": \"http://${address.metrics}/metrics\"");
    }
  }

  /// `type` as FieldInfo has it: "service", "list of edge".
  void read_names(const Value& written, std::string_view type) {
    static const std::map<std::string_view, Reference::To> named{{"service", Reference::To::service},
                                                                 {"edge", Reference::To::edge},
                                                                 {"load", Reference::To::load},
                                                                 {"fault", Reference::To::fault}};
    constexpr std::string_view list = "list of ";
    if (type.starts_with(list)) {
      for (const Value& item : written.items) read_names(item, type.substr(list.size()));
    } else if (auto to = named.find(type); to != named.end() && written.is(Kind::string)) {
      look_up({written.text, written.span}, to->second);
    }
  }

  void look_up(Name name, Reference::To to) {
    switch (to) {
      case Reference::To::service:
        names_.service(name, errors_);
        return;
      case Reference::To::edge:
        names_.edge(name, errors_);
        return;
      case Reference::To::load:
        if (!names_.loads.contains(name.text)) names_.unknown("load", name, keys_of(names_.loads), errors_);
        return;
      case Reference::To::fault:
        take_mark(name);
        names_.fault(name, errors_);
        return;
    }
  }

  /// The name's own place when the key holds a list of names.
  static json::Span place_in(const Value& written, const std::string& name) {
    for (const Value& item : written.items) {
      if (item.is(Kind::string) && item.text == name) return item.span;
    }
    return written.span;
  }

  void read_window() {
    struct Key {
      const char* name;
      std::optional<Name>& fault;
      Relation relation;
    };
    const Key keys[] = {{"during", text_.during, Relation::during},
                        {"before", text_.before, Relation::before},
                        {"after", text_.after, Relation::after}};
    const char* first = nullptr;
    for (const Key& key : keys) {
      if (!object_.find(key.name)) continue;
      if (first) {
        refuse_key(object_, key.name,
                   std::string("a check has one window: `") + first + "` or `" + key.name + "`",
                   "make it two checks", errors_);
        continue;
      }
      first = key.name;
      if (key.fault && !key.fault->text.empty()) read_window(key.name, *key.fault, key.relation);
    }
  }

  void read_window(const std::string& key, Name name, Relation relation) {
    std::string mark = take_mark(name);
    if (!mark.empty() && relation != Relation::after) {
      error(name.span, "`" + key + "` takes the fault alone", "write `" + name.text + "`");
      return;
    }
    if (const auto& marks = mark_names();
        !mark.empty() && std::find(marks.begin(), marks.end(), mark) == marks.end()) {
      error(name.span, "a fault has no moment `" + mark + "`", did_you_mean(mark, marks));
      return;
    }
    const FaultName* fault = names_.fault(name, errors_);
    if (!fault) return;
    if (relation == Relation::during && fault->instant())
      error(name.span, "`" + name.text + "` is over at once, so nothing happens during it",
            "write \"after\": \"" + name.text + "\"");
    if (relation == Relation::after) mark_of(*fault, name, mark, errors_);
    out_.spec.window = {relation, {name.text}, mark};
  }

  const Value& object_;
  const Names& names_;
  ErrorList& errors_;
  ExpectText text_;
  Expectation out_;
};

void refuse_duplicates(const Value& section, ErrorList& errors) {
  std::map<std::string, json::Span> seen;
  for (const Value& entry : section.items) {
    const Value* id = entry.find("id");
    if (!id || !id->is(Kind::string)) continue;
    if (auto [first, fresh] = seen.emplace(id->text, id->span); !fresh) {
      Error error =
          json::error_at(id->span, "there is already a check `" + id->text + "`", "choose another id");
      error.also.push_back(json::place_of(first->second));
      errors.push_back(std::move(error));
    }
  }
}

std::vector<std::string> universal_names() {
  std::vector<std::string> names;
  for (const CheckKind& kind : checks::check_kinds()) {
    if (kind.universal) names.push_back(kind.name);
  }
  return names;
}

}  // namespace

std::vector<Expectation> read_expect(const Value& section, const Names& names, ErrorList& errors) {
  std::vector<Expectation> all;
  for (const Value& entry : section.items) {
    if (auto read = ExpectReader(entry, names, errors).read()) all.push_back(std::move(*read));
  }
  refuse_duplicates(section, errors);
  refuse_shared_answers(all, errors);
  return all;
}

std::map<std::string, std::string> read_waivers(const Value& section, ErrorList& errors) {
  std::map<std::string, std::string> waived;
  const std::vector<std::string> known = universal_names();
  for (const json::Member& member : section.members) {
    if (std::find(known.begin(), known.end(), member.key) == known.end())
      errors.push_back(json::error_at(member.key_span, "there is no universal check `" + member.key + "`",
                                      did_you_mean(member.key, known)));
    Reason reason;
    if (Codec<Reason>::read(member.value, reason, errors)) waived[member.key] = reason.text;
  }
  return waived;
}

std::vector<Expectation> universal_checks(const std::vector<Expectation>& given,
                                          const std::map<std::string, std::string>& waived) {
  std::vector<Expectation> all;
  for (const CheckKind& kind : checks::check_kinds()) {
    const bool replaced = std::any_of(given.begin(), given.end(), [&](const Expectation& other) {
      return other.spec.kind == kind.name && other.spec.window.relation == Relation::whole;
    });
    if (!kind.universal || replaced || waived.contains(kind.name)) continue;
    ErrorList errors;
    Expectation expectation;
    expectation.spec.name = expectation.spec.kind = kind.name;
    // It holds of every scenario, also of one that has nothing for it to look at.
    expectation.spec.min_samples = 0;
    expectation.spec.check = kind.make(json::object(), {}, errors);
    assert(expectation.spec.check && errors.empty());
    all.push_back(std::move(expectation));
  }
  return all;
}

std::set<std::string> read_fails(const std::vector<Name>& fails, const Value& expect,
                                 const std::map<std::string, std::string>& waived, const Names& names,
                                 ErrorList& errors) {
  std::vector<std::string> known;
  std::map<std::string, std::string> renamed;  // kind -> the id that a check of it goes by
  for (const Value& entry : expect.items) {
    const Value* kind = entry.find("check");
    const Value* id = entry.find("id");
    if (id) known.push_back(id->text);
    if (kind && !id) known.push_back(kind->text);
    if (kind && id) renamed[kind->text] = id->text;
  }
  for (const std::string& universal : universal_names()) {
    if (!waived.contains(universal)) known.push_back(universal);
  }
  std::set<std::string> all;
  for (const Name& name : fails) {
    if (!all.insert(name.text).second || !names.whole) continue;
    if (std::find(known.begin(), known.end(), name.text) != known.end()) continue;
    std::string hint = did_you_mean(name.text, known);
    if (renamed.contains(name.text)) hint = "that check has an id: `" + renamed[name.text] + "`";
    if (waived.contains(name.text)) hint = "it is waived";
    errors.push_back(json::error_at(name.span, "no check is named `" + name.text + "`", hint));
  }
  return all;
}

FormatPart expect_section() { return {"expect", "a check", ExpectText::fields().info()}; }

}  // namespace breakwire::scenario
