#include "harness/scenario/top.h"

namespace breakwire {

using scenario::BaselineChoice;
using scenario::BaselineText;
using scenario::ScenarioName;

bool Codec<BaselineChoice>::read(const json::Value& value, BaselineChoice& out, ErrorList& errors) {
  if (value.is(json::Kind::object)) {
    const size_t before = errors.size();
    BaselineText::fields().read(value, out.value, errors);
    for (auto key : {"for", "min_samples"}) {
      if (value.find("none") && value.find(key))
        scenario::refuse_key(value, key, "there is no baseline here", "remove it, or `none`", errors);
    }
    return errors.size() == before;
  }
  return Codec<scenario::Length>::read(value, out.value.length, errors);
}
json::Value Codec<BaselineChoice>::schema() {
  return json::object({{"anyOf", json::array({Codec<Duration>::schema(), BaselineText::fields().schema()})}});
}
std::string Codec<BaselineChoice>::type() { return "duration, or object"; }
std::string Codec<BaselineChoice>::show(const BaselineChoice& value) {
  return to_text(value.value.length.time);
}

bool Codec<ScenarioName>::read(const json::Value& value, ScenarioName& out, ErrorList& errors) {
  if (!described::read_text(value, "a name as a string", out.text, errors)) return false;
  if (scenario::is_scenario_name(out.text)) return true;
  errors.push_back(json::error_at(value.span, "`" + out.text + "` cannot be a scenario's name",
                                  "lower-case letters, digits and `-`"));
  return false;
}
json::Value Codec<ScenarioName>::schema() {
  return json::object({{"type", "string"}, {"pattern", "^[a-z0-9-]+$"}});
}
std::string Codec<ScenarioName>::type() { return "name"; }
std::string Codec<ScenarioName>::show(const ScenarioName& value) { return value.text; }

namespace scenario {

bool is_scenario_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

const Fields<BaselineText>& BaselineText::fields() {
  static const auto all =
      Fields<BaselineText>()
          .optional("for", &BaselineText::length, "How long it lasts.")
          .optional("none", &BaselineText::none, "There is none, and this is why; it stands in the report.")
          .optional("min_samples", &BaselineText::min_samples, "So many calls must have ended well in it.");
  return all;
}

const Fields<TopText>& TopText::fields() {
  static const auto all =
      Fields<TopText>()
          .optional("$schema", &TopText::schema, "For editors; see `breakwire schema scenario`.")
          .optional("version", &TopText::version, "Of this format: 1.")
          .optional("name", &TopText::name, "Left out: the file's name without its ending.")
          .optional("description", &TopText::description, "What this scenario shows.")
          .optional("tags", &TopText::tags, "For `breakwire run --tag`.")
          .optional("include", &TopText::include,
                    "Files whose content is taken over first; what follows overrides it, by key or `id`.")
          .optional("seed", &TopText::seed, "Everything that is left to chance is a function of it.")
          .optional("timeout", &TopText::timeout, "A run that lasts longer is given up as an error.")
          .optional("secrets", &TopText::secrets, "Texts that must not reach a report, such as ${env.TOKEN}.")
          .optional("vars", &TopText::vars,
                    "Values by name, for ${vars.NAME}. A text that is nothing else takes the value's kind.")
          .optional("matrix", &TopText::matrix,
                    "Variables with a list of values each; the scenario runs once for each combination.")
          .optional(
              "twins", &TopText::twins,
              "Flawed versions of this scenario, which show that its checks can fail. Of a matrix they take "
              "the first combination, unless their `vars` choose another.")
          .optional("services", &TopText::services, "What is under test, by name.")
          .optional("edges", &TopText::edges,
                    "Who dials whom, as `a->b` or `a->b:PORT`; the load is `client`. A relay stands on each.")
          .optional("load", &TopText::load, "Who calls what, by name.")
          .optional("baseline", &TopText::baseline,
                    "How long all must be well before the first fault: a duration, {\"for\": …, "
                    "\"min_samples\": …}, or "
                    "{\"none\": \"why\"}. A scenario without faults has none.")
          .optional("timeline", &TopText::timeline, "What breaks, where and when.")
          .optional("expect", &TopText::expect, "What must hold.")
          .optional("waive", &TopText::waive, "Universal checks that are not judged here, and why.");
  return all;
}

}  // namespace scenario
}  // namespace breakwire
