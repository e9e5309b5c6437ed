// `timeline`: what breaks, where and when.
#include "faults/kinds/match_fields.h"
#include "harness/scenario/when.h"

namespace breakwire::scenario {
namespace {

using faults::FaultClass;
using faults::FaultKind;
using faults::Lifetime;
using json::Kind;
using json::Value;

/// How close to the real thing it must have been; see FaultKind::fidelity.
enum class Fidelity { wire };

}  // namespace
}  // namespace breakwire::scenario

namespace breakwire {
template <>
struct EnumNames<scenario::Fidelity> {
  static std::string type() { return "fidelity"; }
  static const std::vector<std::pair<std::string, scenario::Fidelity>>& names() {
    static const std::vector<std::pair<std::string, scenario::Fidelity>> all{
        {"wire", scenario::Fidelity::wire}};
    return all;
  }
};
}  // namespace breakwire

namespace breakwire::scenario {
namespace {

/// A number of hits, or more precisely what must have been there.
struct MustFire {
  Count hits;
  std::optional<Count> in_flight;
  std::optional<Fidelity> fidelity;
  static const Fields<MustFire>& fields() {
    static const auto all =
        Fields<MustFire>()
            .optional("hits", &MustFire::hits, "It must have acted at least so often.")
            .optional("in_flight", &MustFire::in_flight,
                      "Of process faults: so many calls must have been in flight at the service. 1 is what "
                      "\"mid-request\" means.")
            .optional("fidelity", &MustFire::fidelity,
                      "`wire`: it must have been the real thing, where a kind may have to do with less.");
    return all;
  }
};
/// The same with its short form.
struct MustFireText {
  MustFire value;
};

}  // namespace
}  // namespace breakwire::scenario

namespace breakwire {
template <>
struct Codec<scenario::MustFireText> {
  using Object = scenario::MustFire;
  static bool read(const json::Value& value, scenario::MustFireText& out, ErrorList& errors) {
    if (value.is(json::Kind::object)) return Object::fields().read(value, out.value, errors);
    if (value.is(json::Kind::number) && value.number == 0) {
      errors.push_back(json::error_at(value.span, "a fault that need not act proves nothing",
                                      "give at least 1, or remove the fault"));
      return false;
    }
    return Codec<scenario::Count>::read(value, out.value.hits, errors);
  }
  static json::Value schema() {
    return json::object(
        {{"anyOf", json::array({Codec<scenario::Count>::schema(), Object::fields().schema()})}});
  }
  static std::string type() { return "count, or object"; }
  static std::string show(const scenario::MustFireText&) { return "1"; }
};
}  // namespace breakwire

namespace breakwire::scenario {
namespace {

struct EntryText {
  Id id;
  std::optional<Duration> at;
  std::optional<WhenText> when;
  std::optional<Length> length;
  Name on;
  Name fault;
  Value with = json::object();
  Value match = json::object();
  MustFireText must_fire;

  static const Fields<EntryText>& fields() {
    static const auto all =
        Fields<EntryText>()
            .required("id", &EntryText::id, "Its name, for windows and reports.")
            .optional("at", &EntryText::at, "When it begins, counted from the start of load.")
            .optional("when", &EntryText::when,
                      "Or the event at which it begins, from the end of the baseline on.")
            .optional("for", &EntryText::length, "How long it lasts; left out: to the end of the run.")
            .required("on", &EntryText::on, "The edge, or of process faults the service.")
            .required("fault", &EntryText::fault, "Its kind; `breakwire list faults` shows all.")
            .optional("with", &EntryText::with, "The kind's parameters; `breakwire explain KIND` shows them.")
            .optional("match", &EntryText::match, "Which connections or calls it concerns; left out: all.")
            .optional("must_fire", &EntryText::must_fire,
                      "How often it must have acted for the run to count; a number, or {\"in_flight\": n, "
                      "\"hits\": n, \"fidelity\": \"wire\"}.");
    return all;
  }
};

/// One entry on its way into the scenario.
class EntryReader {
 public:
  EntryReader(const Value& entry, const Names& names, const TimelineRules& rules, ErrorList& errors)
      : object_(entry), names_(names), rules_(rules), errors_(errors) {}

  /// nullopt when anything about it is wrong; everything is looked at all the same.
  std::optional<TimelineEntry> read() {
    const size_t before = errors_.size();
    EntryText::fields().read(object_, text_, errors_);
    if (!object_.is(Kind::object)) return std::nullopt;
    read_kind();
    read_trigger();
    read_place();
    read_length();
    check_together();
    read_must_fire();
    if (errors_.size() != before) return std::nullopt;
    out_.id = {text_.id.text};
    out_.on = text_.on.text;
    out_.entry = object_;
    return std::move(out_);
  }

 private:
  const Value* string(std::string_view key) const {
    const Value* value = object_.find(key);
    return value && value->is(Kind::string) ? value : nullptr;
  }
  void error(const json::Span& span, std::string what, std::string hint = {}) {
    errors_.push_back(json::error_at(span, std::move(what), std::move(hint)));
  }

  /// A part that is left out is read as empty, so that what it lacks is said, at the entry.
  Value part(std::string_view key) const {
    const Value* given = object_.find(key);
    Value empty = json::object();
    empty.span = object_.span;
    return given ? *given : empty;
  }

  void check_together() {
    if (!match_read_ || !out_.kind->check) return;
    const Value with = part("with");
    const Value match = part("match");
    out_.kind->check({.with = with, .written_match = match, .match = out_.match, .length = out_.length},
                     errors_);
  }

  void read_kind() {
    if (!string("fault")) return;
    out_.kind = faults::find_fault_kind(text_.fault.text);
    if (!out_.kind) {
      error(text_.fault.span, "unknown fault `" + text_.fault.text + "`",
            did_you_mean(text_.fault.text, faults::fault_kind_names()));
      return;
    }
    if (auto decision = out_.kind->make(part("with"), errors_)) out_.decision = std::move(*decision);
    if (out_.kind->fault_class == FaultClass::process) {
      if (object_.find("match"))
        refuse_key(object_, "match", "`" + out_.kind->name + "` acts on a process and has no `match`",
                   "remove it", errors_);
    } else if (auto match = faults::read_match(*out_.kind, part("match"), errors_)) {
      out_.match = std::move(*match);
      match_read_ = true;
      if (out_.kind->lifetime == Lifetime::optional_span && !object_.find("for"))
        faults::fits_without_length(*out_.kind, out_.match, part("match"), errors_);
    }
  }

  void read_trigger() {
    const Value* at = object_.find("at");
    const Value* when = object_.find("when");
    if (at && when) {
      refuse_key(object_, "when", "a fault has `at` or `when`, not both", "remove one of the two", errors_);
    } else if (!at && !when) {
      error(object_.span, "a fault needs `at` or `when`", "such as \"at\": \"1s\"");
    }
    if (text_.when && when->is(Kind::object)) {
      if (auto read = when_of(*text_.when, *when, names_, errors_)) out_.trigger = std::move(*read);
    }
    if (!text_.at || !at->is(Kind::string)) return;
    out_.trigger = *text_.at;
    if (rules_.baseline && parse_duration(at->text) && *text_.at < *rules_.baseline)
      error(at->span, "this is inside the baseline, which lasts " + to_text(*rules_.baseline),
            "choose a later time, or a shorter `baseline`");
    if (*text_.at >= rules_.timeout)
      error(at->span, "the run is given up after " + to_text(rules_.timeout),
            "choose an earlier time, or a longer `timeout`");
  }

  void read_place() {
    if (!string("on") || text_.on.text.empty()) return;
    const std::string& on = text_.on.text;
    const bool is_service = names_.services.contains(on);
    const bool is_edge = names_.edges.contains(on);
    if (!out_.kind) {  // then either will do
      if (!is_service && !is_edge) unknown_place();
    } else if (out_.kind->fault_class == FaultClass::process) {
      read_service(on, is_edge);
    } else if (is_service) {
      error(text_.on.span, "`" + out_.kind->name + "` acts on an edge, and `" + on + "` is a service",
            edges_hint(on));
    } else if (out_.kind->fault_class == FaultClass::call) {
      names_.call_edge(text_.on, "`" + out_.kind->name + "`", errors_);
    } else {
      names_.edge(text_.on, errors_);
    }
  }

  void read_service(const std::string& on, bool is_edge) {
    if (is_edge) {
      const Edge* edge = names_.edges.at(on);
      error(text_.on.span, "`" + out_.kind->name + "` acts on a process, and `" + on + "` is an edge",
            edge ? "did you mean the service `" + edge->to.text + "`?" : "name a service");
      return;
    }
    const Service* service = names_.service(text_.on, errors_);
    if (service && is_external(*service))
      error(text_.on.span,
            "`" + on + "` is external: breakwire does not start it and cannot touch its process",
            "break its edges instead");
  }

  void unknown_place() {
    std::vector<std::string> known = keys_of(names_.edges);
    for (const auto& [service, unused] : names_.services) known.push_back(service);
    names_.unknown("edge or service", text_.on, known, errors_);
  }

  std::string edges_hint(const std::string& service) const {
    std::vector<std::string> near;
    for (const auto& [id, edge] : names_.edges) {
      if (edge && edge->to.text == service) near.push_back("`" + id + "`");
    }
    if (near.empty()) return "name an edge";
    std::string text = "did you mean " + near.front();
    for (size_t i = 1; i < near.size(); ++i) text += (i + 1 == near.size() ? " or " : ", ") + near[i];
    return text + "?";
  }

  void read_length() {
    if (text_.length && text_.length->time > 0ns) out_.length = text_.length->time;
    if (!out_.kind) return;
    if (object_.find("for") && out_.kind->lifetime == Lifetime::instant)
      refuse_key(object_, "for", "`" + out_.kind->name + "` is over at once and takes no `for`", "remove it",
                 errors_);
    if (out_.kind->lifetime == Lifetime::down) {
      if (object_.find("for"))
        refuse_key(object_, "for", "`" + out_.kind->name + "` takes no `for`",
                   "how long is `down`, in `with`", errors_);
      if (const Value* with = object_.find("with"); with && out_.kind->down)
        out_.length = out_.kind->down(*with);
    }
  }

  void read_must_fire() {
    out_.must_fire = text_.must_fire.value.hits.value;
    out_.must_be_real = text_.must_fire.value.fidelity.has_value();
    if (!text_.must_fire.value.in_flight) return;
    out_.must_find_in_flight = text_.must_fire.value.in_flight->value;
    if (out_.kind && out_.kind->fault_class != FaultClass::process)
      error(object_.find("must_fire")->span, "`in_flight` is for faults on processes",
            "`" + out_.kind->name + "` acts on an edge; count its hits");
  }

  const Value& object_;
  const Names& names_;
  const TimelineRules& rules_;
  ErrorList& errors_;
  EntryText text_;
  TimelineEntry out_;
  bool match_read_ = false;
};

/// The fault an entry waits for, if it does; its place too.
const Value* waits_for(const Value& entry) {
  const Value* when = entry.find("when");
  const Value* after = when ? when->find("after") : nullptr;
  const Value* fault = after ? after->find("fault") : nullptr;
  return fault && fault->is(Kind::string) ? fault : nullptr;
}

/// Every circle of `after` is an error once, at its entry that comes first.
void refuse_circles(const Value& section, ErrorList& errors) {
  std::map<std::string, const Value*> waiting;
  std::vector<std::string> order;
  for (const Value& entry : section.items) {
    const Value* id = entry.find("id");
    const Value* fault = waits_for(entry);
    if (!id || !id->is(Kind::string) || !fault) continue;
    waiting.emplace(id->text, fault);
    order.push_back(id->text);
  }
  std::set<std::string> told;
  for (const std::string& start : order) {
    std::vector<std::string> path{start};
    while (waiting.contains(path.back()) && path.size() <= waiting.size()) {
      path.push_back(waiting.at(path.back())->text);
      if (path.back() == start) break;
    }
    if (path.size() < 2 || path.back() != start || told.contains(start)) continue;
    std::string circle = path.front();
    for (size_t i = 1; i < path.size(); ++i) circle += " -> " + path[i];
    told.insert(path.begin(), path.end());
    errors.push_back(json::error_at(waiting.at(start)->span, "`" + start + "` waits for itself: " + circle,
                                    "break the circle"));
  }
}

}  // namespace

std::map<std::string, FaultName> fault_names(const Value& section, ErrorList& errors) {
  std::map<std::string, FaultName> names;
  for (const Value& entry : section.items) {
    const Value* id = entry.find("id");
    if (!id || !id->is(Kind::string)) continue;
    FaultName name;
    name.span = id->span;
    if (const Value* fault = entry.find("fault"); fault && fault->is(Kind::string))
      name.kind = faults::find_fault_kind(fault->text);
    name.has_length = entry.find("for") || (name.kind && name.kind->lifetime == Lifetime::down);
    if (auto [first, fresh] = names.emplace(id->text, name); !fresh) {
      Error error =
          json::error_at(id->span, "there is already a fault `" + id->text + "`", "choose another id");
      error.also.push_back(json::place_of(first->second.span));
      errors.push_back(std::move(error));
    }
  }
  return names;
}

std::vector<TimelineEntry> read_timeline(const Value& section, const Names& names, const TimelineRules& rules,
                                         ErrorList& errors) {
  std::vector<TimelineEntry> timeline;
  for (const Value& entry : section.items) {
    if (auto read = EntryReader(entry, names, rules, errors).read()) timeline.push_back(std::move(*read));
  }
  refuse_circles(section, errors);
  return timeline;
}

FormatPart timeline_section() { return {"timeline", "a fault", EntryText::fields().info()}; }

}  // namespace breakwire::scenario
