#include "harness/scenario/read.h"

#include "harness/scenario/paths.h"
#include "harness/scenario/top.h"
#include "harness/scenario/variables.h"

namespace breakwire::scenario {
namespace {

using json::Kind;
using json::Value;

bool lies_in(const Place& place, const json::Span& span) {
  return span.source && place.file == span.source->file && place.line > 0 && span.begin <= place.offset &&
         place.offset < std::max(span.end, span.begin + 1);
}

/// A section of the merged file; empty when it is left out.
Value section(const Value& root, std::string_view key) {
  const Value* found = root.find(key);
  return found ? *found : Value();
}

/// Names what is in `section` but not in `read`: it was wrong.
template <class Thing>
std::map<std::string, const Thing*> named(const Value& section, const std::vector<Thing>& read) {
  std::map<std::string, const Thing*> all;
  for (const auto& member : section.members) all[member.key] = nullptr;
  for (const Thing& thing : read) all[thing.id.text] = &thing;
  return all;
}

/// One variant on its way into a scenario.
class VariantReader {
 public:
  VariantReader(Document document, const ReadFile& read_file, ErrorList& errors)
      : document_(std::move(document)), read_file_(read_file), errors_(errors) {}

  Scenario read(const Variant& variant, const ReadOptions& options) {
    Value& root = document_.root;
    ErrorList in_texts;  // these come first: what follows from a broken text is no error of its own
    std::vector<json::Span> broken;
    for (auto& member : root.members) {
      if (takes_variables(member.key))
        substitute(member.value, variant.variables, document_, broken, in_texts);
    }
    settle_fixed_texts(root, broken, in_texts);
    Scenario scenario = read_root(variant, options);
    std::erase_if(errors_, [&](const Error& error) {
      return std::any_of(broken.begin(), broken.end(),
                         [&](const json::Span& span) { return lies_in(error.where, span); });
    });
    errors_.insert(errors_.end(), in_texts.begin(), in_texts.end());
    annotate();
    return scenario;
  }

 private:
  static bool takes_variables(std::string_view key) {
    for (auto fixed : {"$schema", "version", "name", "include", "vars", "matrix", "twins"}) {
      if (key == fixed) return false;
    }
    return true;
  }

  Scenario read_root(const Variant& variant, const ReadOptions& options) {
    const Value& root = document_.root;
    Scenario scenario;
    TopText top;
    TopText::fields().read(root, top, errors_);
    scenario.file = document_.files.front();
    scenario.name = name_of(top, scenario.file);
    scenario.variant = variant.text;
    scenario.description = top.description;
    scenario.tags = top.tags;
    scenario.seed = options.seed.value_or(top.seed);
    scenario.timeout = top.timeout.time;
    scenario.secrets = top.secrets;
    read_topology(scenario);
    read_baseline(top.baseline.value, scenario);
    read_story(scenario);
    if (!variant.twin.empty()) {
      const Value expect = section(root, "expect");
      scenario.twin = Twin{variant.twin, read_fails(variant.fails, expect, scenario.waived, names_, errors_)};
    }
    return scenario;
  }

  std::string name_of(const TopText& top, const std::string& file) {
    if (top.name || document_.root.find("name")) return top.name ? top.name->text : "";
    std::string stem = scenario::stem(file);
    if (!is_scenario_name(stem))
      errors_.push_back(json::error_at(brace(), "the file's name `" + stem + "` cannot be the scenario's",
                                       "give a `name` of lower-case letters, digits and `-`"));
    return stem;
  }

  json::Span brace() const {
    json::Span span = document_.root.span;
    span.end = span.begin + 1;
    return span;
  }

  void read_topology(Scenario& scenario) {
    const Value& root = document_.root;
    const Value services = section(root, "services"), edges = section(root, "edges"),
                load = section(root, "load");
    NeededFiles files;
    names_.whole = document_.whole;
    scenario.services = read_services(services, files, errors_);
    names_.services = named(services, scenario.services);
    scenario.edges = read_edges(edges, names_, errors_);
    names_.edges = named(edges, scenario.edges);
    scenario.loads = read_loads(load, names_, errors_);
    names_.loads = named(load, scenario.loads);
    check_placeholders(root, names_, errors_);
    for (const FilePath& path : files) {
      if (!path.text.empty() && !read_file_(resolved(path)))
        errors_.push_back(json::error_at(path.span, "cannot read `" + resolved(path) + "`",
                                         "paths count from the folder of the file that contains them"));
    }
    for (const Load& each : scenario.loads) {
      if (each.length && *each.length >= scenario.timeout)
        refuse_key(*load.find(each.id.text), "for", "the run is given up after " + to_text(scenario.timeout),
                   "choose less, or a longer `timeout`", errors_);
    }
  }

  void read_baseline(const BaselineText& text, Scenario& scenario) {
    const Value& root = document_.root;
    scenario.baseline_min_samples = text.min_samples.value;
    scenario.baseline = text.length.time;
    if (section(root, "timeline").items.empty()) {
      scenario.baseline.reset();
    } else if (text.none) {
      scenario.baseline.reset();
      scenario.baseline_waiver = text.none->text;
    } else if (section(root, "load").members.empty() && document_.whole) {
      errors_.push_back(
          json::error_at(member_of(root, "timeline")->key_span,
                         "without a load no baseline can show that all is well before the first fault",
                         "add a load, or \"baseline\": {\"none\": \"why\"}"));
    }
  }

  void read_story(Scenario& scenario) {
    const Value& root = document_.root;
    const Value timeline = section(root, "timeline"), expect = section(root, "expect");
    names_.faults = fault_names(timeline, errors_);
    scenario.timeline = read_timeline(timeline, names_,
                                      {.timeout = scenario.timeout, .baseline = scenario.baseline}, errors_);
    scenario.expect = read_expect(expect, names_, errors_);
    scenario.waived = read_waivers(section(root, "waive"), errors_);
    for (Expectation& universal : universal_checks(scenario.expect, scenario.waived))
      scenario.expect.push_back(std::move(universal));
    if (document_.whole && timeline.items.empty() && expect.items.empty() &&
        section(root, "load").members.empty())
      errors_.push_back(json::error_at(brace(),
                                       "there is nothing to run: no `load`, no `timeline`, no `expect`",
                                       "a file that others include is not run by itself"));
  }

  /// Tells every error inside something overridden, or brought in by a variable, of the other place.
  void annotate() {
    for (Error& error : errors_) {
      for (const Note& note : document_.notes) {
        if (!lies_in(error.where, note.where) || note.also == error.where) continue;
        if (std::find(error.also.begin(), error.also.end(), note.also) == error.also.end())
          error.also.push_back(note.also);
      }
    }
  }

  Document document_;
  const ReadFile& read_file_;
  ErrorList& errors_;
  Names names_;
};

/// In the order of the files and their lines, each mistake once though it may show in several variants.
ErrorList in_order(ErrorList errors, const std::vector<std::string>& files) {
  const auto rank = [&](const Error& error) {
    return std::pair(std::find(files.begin(), files.end(), error.where.file) - files.begin(),
                     error.where.offset);
  };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const Error& a, const Error& b) { return rank(a) < rank(b); });
  ErrorList once;
  for (Error& error : errors) {
    const bool told = std::any_of(once.begin(), once.end(), [&](const Error& other) {
      return other.where == error.where && other.what == error.what;
    });
    if (!told) once.push_back(std::move(error));
  }
  return once;
}

}  // namespace

Result<std::vector<Scenario>> read_scenarios(const std::string& path, const ReadFile& read_file,
                                             const ReadOptions& options) {
  ErrorList errors;
  std::map<std::string, std::optional<std::string>> known;  // every variant looks for the same files
  const ReadFile read_once = [&](const std::string& file) {
    auto found = known.find(file);
    if (found == known.end()) found = known.emplace(file, read_file(file)).first;
    return found->second;
  };
  auto document = read_document(path, read_once, errors);
  if (!document) return errors;
  const std::vector<Variant> variants = variants_of(*document, errors);
  std::vector<Scenario> scenarios;
  for (const Variant& variant : variants) {
    ErrorList own;
    scenarios.push_back(VariantReader(*document, read_once, own).read(variant, options));
    errors.insert(errors.end(), own.begin(), own.end());
  }
  if (!errors.empty()) return in_order(std::move(errors), document->files);
  return scenarios;
}

}  // namespace breakwire::scenario
