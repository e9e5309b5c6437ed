#include "harness/scenario/when.h"

namespace breakwire {

using scenario::MarkText;

bool Codec<MarkText>::read(const json::Value& value, MarkText& out, ErrorList& errors) {
  const auto index = described::read_name(value, type(), scenario::mark_names(), errors);
  if (index) out.text = scenario::mark_names()[*index];
  return index.has_value();
}
json::Value Codec<MarkText>::schema() { return described::name_schema(scenario::mark_names()); }
std::string Codec<MarkText>::type() { return "moment of a fault"; }

namespace scenario {

using json::Value;

const std::vector<std::string>& mark_names() {
  static const std::vector<std::string> all{"start", "first_hit", "end"};
  return all;
}

const Fields<InFlightText>& InFlightText::fields() {
  static const auto all =
      Fields<InFlightText>()
          .required("on", &InFlightText::on,
                    "The edge, or the service whose inbound edges are counted together.")
          .optional("at_least", &InFlightText::at_least, "So many calls at once.")
          .optional("method", &InFlightText::method, "Only calls of this method, with `*`.");
  return all;
}

const Fields<CallText>& CallText::fields() {
  static const auto all =
      Fields<CallText>()
          .required("on", &CallText::on, "The edge.")
          .optional("nth", &CallText::nth, "Which call, counted from 1 since the baseline.")
          .optional("stage", &CallText::stage, "How far it has come.")
          .optional("method", &CallText::method, "Only calls of this method, with `*`.");
  return all;
}

const Fields<AfterText>& AfterText::fields() {
  static const auto all =
      Fields<AfterText>()
          .required("fault", &AfterText::fault, "The id of another entry of the timeline.")
          .optional(
              "mark", &AfterText::mark,
              "Which of its moments: `start`, `first_hit` or `end`; left out: its end, of an instantaneous "
              "fault its start.")
          .optional("delay", &AfterText::delay, "How long after that moment.");
  return all;
}

const Fields<WhenHealthText>& WhenHealthText::fields() {
  static const auto all = Fields<WhenHealthText>()
                              .required("service", &WhenHealthText::service, "Whose health.")
                              .optional("probe", &WhenHealthText::probe,
                                        "Which question: `liveness`, `readiness`, or `server` for the whole.")
                              .required("is", &WhenHealthText::is, "The answer that is waited for.");
  return all;
}

const Fields<WhenExitText>& WhenExitText::fields() {
  static const auto all =
      Fields<WhenExitText>().required("service", &WhenExitText::service, "Whose process.");
  return all;
}

const Fields<WhenText>& WhenText::fields() {
  static const auto all =
      Fields<WhenText>()
          .optional("in_flight", &WhenText::in_flight, "So many calls are in flight.")
          .optional("call", &WhenText::call, "A call has reached a stage.")
          .optional("after", &WhenText::after, "Another fault has begun, hit or ended.")
          .optional("health", &WhenText::health, "A service answers so about its health.")
          .optional("exit", &WhenText::exit, "A service's process has exited.")
          .rule([](const WhenText&, const Value& object, ErrorList& errors) {
            if (object.members.size() == 1) return;
            errors.push_back(json::error_at(object.span, "`when` names exactly one event",
                                            "one of in_flight, call, after, health, exit"));
          });
  return all;
}

std::string mark_of(const FaultName& fault, const Name& name, const std::string& mark, ErrorList& errors) {
  const std::string meant = !mark.empty() ? mark : fault.instant() ? "start" : "end";
  if (meant == "end" && fault.endless())
    errors.push_back(json::error_at(name.span,
                                    "`" + name.text + "` has no `for`, so nothing comes after its end",
                                    "give it a `for`, or count from its `start` or `first_hit`"));
  return meant;
}

namespace {

WhenInFlight in_flight_of(const InFlightText& text, const Names& names, ErrorList& errors) {
  if (!names.services.contains(text.on.text)) {
    if (names.edges.contains(text.on.text) || text.on.text.find("->") != std::string::npos) {
      names.call_edge(text.on, "`in_flight`", errors);
    } else {
      std::vector<std::string> known = keys_of(names.edges);
      for (const auto& [service, unused] : names.services) known.push_back(service);
      names.unknown("edge or service", text.on, known, errors);
    }
  } else if (const Service* service = names.services.at(text.on.text); service && is_postgres(*service)) {
    errors.push_back(json::error_at(text.on.span,
                                    "`in_flight` counts calls, and a PostgreSQL server gets none",
                                    "name an edge or a service that speaks gRPC"));
  }
  WhenInFlight when{.on = text.on.text, .at_least = text.at_least.value, .method = {}};
  if (text.method) when.method = text.method->text;
  return when;
}

WhenCall call_of(const CallText& text, const Value& object, const Names& names, ErrorList& errors) {
  names.call_edge(text.on, "`call`", errors);
  // A request's end is no event of its own, so nothing could be waited for.
  if (text.stage == faults::Stage::request_end)
    refuse_key(object, "stage", "`call` cannot wait for `request_end`",
               "choose `request_message` or `response_headers`", errors);
  WhenCall when{.on = {text.on.text}, .nth = text.nth.value, .stage = text.stage, .method = {}};
  if (text.method) when.method = text.method->text;
  return when;
}

WhenAfter after_of(const AfterText& text, const Names& names, ErrorList& errors) {
  WhenAfter when{.fault = {text.fault.text}, .mark = text.mark ? text.mark->text : "", .delay = text.delay};
  if (const FaultName* fault = names.fault(text.fault, errors))
    when.mark = mark_of(*fault, text.fault, when.mark, errors);
  return when;
}

WhenHealth health_of(const WhenHealthText& text, const Names& names, ErrorList& errors) {
  const Service* service = names.service(text.service, errors);
  if (service && is_postgres(*service))
    errors.push_back(json::error_at(text.service.span, "a PostgreSQL server has no gRPC health",
                                    "name a service that depends on it"));
  return {.service = {text.service.text},
          .name = std::string(checks::to_text(text.probe)),
          .is = std::string(history::to_text(text.is))};
}

WhenExit exit_of(const WhenExitText& text, const Names& names, ErrorList& errors) {
  const Service* service = names.service(text.service, errors);
  if (service && is_external(*service))
    errors.push_back(json::error_at(text.service.span,
                                    "breakwire does not see the process of an external service",
                                    "name a service that it starts"));
  return {.service = {text.service.text}};
}

}  // namespace

std::optional<When> when_of(const WhenText& text, const Value& object, const Names& names,
                            ErrorList& errors) {
  const size_t before = errors.size();
  std::optional<When> when;
  if (text.in_flight) when = in_flight_of(*text.in_flight, names, errors);
  if (text.call) when = call_of(*text.call, *object.find("call"), names, errors);
  if (text.after) when = after_of(*text.after, names, errors);
  if (text.health) when = health_of(*text.health, names, errors);
  if (text.exit) when = exit_of(*text.exit, names, errors);
  return errors.size() == before ? when : std::nullopt;
}

}  // namespace scenario
}  // namespace breakwire
