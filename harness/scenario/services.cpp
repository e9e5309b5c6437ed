// `services`: what is under test, and what it needs.
#include "harness/scenario/sections.h"

namespace breakwire::scenario {
namespace {

using json::Kind;
using json::Value;

struct PostgresText {
  std::optional<FilePath> schema;
  static const Fields<PostgresText>& fields() {
    static const auto all = Fields<PostgresText>().optional(
        "schema", &PostgresText::schema, "An SQL file that is run once, before anything else starts.");
    return all;
  }
};

struct ReadyText {
  std::optional<std::string> grpc_health;
  std::optional<Name> tcp;
  Length within{10s};
  static const Fields<ReadyText>& fields() {
    static const auto all =
        Fields<ReadyText>()
            .optional(
                "grpc_health", &ReadyText::grpc_health,
                "Until grpc.health.v1 Check answers SERVING for `liveness`, `readiness`, another name, or "
                "\"\" for the whole server.")
            .optional("tcp", &ReadyText::tcp, "Until this port, by its name, accepts a connection.")
            .optional("within", &ReadyText::within, "How long that may take before the run is given up.");
    return all;
  }
};

struct StopText {
  faults::Signal signal = faults::Signal::terminate;
  Duration grace = 5s;
  static const Fields<StopText>& fields() {
    static const auto all =
        Fields<StopText>()
            .optional("signal", &StopText::signal, "What asks the service to stop when the run is over.")
            .optional("grace", &StopText::grace, "After this it is killed.");
    return all;
  }
};

struct HealthText {
  std::string liveness = Service{}.liveness, readiness = Service{}.readiness;
  static const Fields<HealthText>& fields() {
    static const auto all =
        Fields<HealthText>()
            .optional("liveness", &HealthText::liveness,
                      "The name under which grpc.health.v1 says whether the service is alive.")
            .optional("readiness", &HealthText::readiness,
                      "The name under which it says whether it can serve.");
    return all;
  }
};

struct LogText {
  std::optional<FilePath> path;
  std::map<std::string, std::string> only;
  std::optional<std::string> service, duration_s;
  std::string method = LogMapping{}.method, code = LogMapping{}.code, duration_ms = LogMapping{}.duration_ms,
              trace_id = LogMapping{}.trace_id;
  static const Fields<LogText>& fields() {
    static const auto all =
        Fields<LogText>()
            .optional("path", &LogText::path, "The file it logs to; left out: what the process prints.")
            .optional("only", &LogText::only,
                      "Only lines with these JSON fields and values tell of calls the service served.")
            .optional("method", &LogText::method,
                      "The JSON field that holds the method, `pkg.Service/Method`.")
            .optional(
                "service", &LogText::service,
                "The JSON field that holds `pkg.Service`, where the other holds only the method's name.")
            .optional("code", &LogText::code, "The JSON field that holds the status code.")
            .optional("duration_ms", &LogText::duration_ms,
                      "The JSON field that holds the milliseconds taken.")
            .optional("duration_s", &LogText::duration_s,
                      "The JSON field that holds the seconds taken, instead of `duration_ms`.")
            .optional("trace_id", &LogText::trace_id, "The JSON field that holds the trace id.")
            .rule([](const LogText&, const Value& object, ErrorList& errors) {
              if (object.find("duration_ms") && object.find("duration_s"))
                refuse_key(object, "duration_s", "a log has either `duration_ms` or `duration_s`",
                           "remove one of the two", errors);
            });
    return all;
  }
};

struct DescriptorsText {
  std::optional<FilePath> descriptor_set;
  std::vector<FilePath> protos, import_paths;
  static const Fields<DescriptorsText>& fields() {
    static const auto all =
        Fields<DescriptorsText>()
            .optional("descriptor_set", &DescriptorsText::descriptor_set,
                      "A file made by protoc --descriptor_set_out --include_imports.")
            .optional("protos", &DescriptorsText::protos, ".proto files.")
            .optional("import_paths", &DescriptorsText::import_paths, "Where what they import is looked for.")
            .rule([](const DescriptorsText& text, const Value& object, ErrorList& errors) {
              if (text.descriptor_set.has_value() == !text.protos.empty())
                errors.push_back(json::error_at(object.span, "give either `descriptor_set` or `protos`"));
            });
    return all;
  }
};

/// "reflection", or where else the messages are described.
struct DescriptorsChoice {
  std::optional<DescriptorsText> text;
};

}  // namespace
}  // namespace breakwire::scenario

namespace breakwire {
template <>
struct Codec<scenario::DescriptorsChoice> {
  using Text = scenario::DescriptorsText;
  static bool read(const json::Value& value, scenario::DescriptorsChoice& out, ErrorList& errors) {
    if (value.is(json::Kind::object)) return Text::fields().read(value, out.text.emplace(), errors);
    return described::read_name(value, type(), {"reflection"}, errors).has_value();
  }
  static json::Value schema() {
    return json::object(
        {{"anyOf", json::array({json::object({{"const", "reflection"}}), Text::fields().schema()})}});
  }
  static std::string type() { return "source of descriptors"; }
  static std::string show(const scenario::DescriptorsChoice&) { return "reflection"; }
};
}  // namespace breakwire

namespace breakwire::scenario {
namespace {

struct ServiceText {
  std::optional<std::vector<std::string>> run;
  std::optional<PostgresText> postgres;
  std::optional<HostPort> external;
  std::map<std::string, std::string> env;
  std::optional<FilePath> cwd;
  std::map<std::string, PortChoice> ports;
  ReadyText ready;
  StopText stop;
  HealthText health;
  std::optional<LogText> log;
  std::optional<std::string> metrics;
  DescriptorsChoice descriptors;

  static const Fields<ServiceText>& fields() {
    static const auto all =
        Fields<ServiceText>()
            .optional("run", &ServiceText::run,
                      "The program and its arguments. `${address.grpc}` is where it must listen, `${a->b}` "
                      "where it "
                      "finds another service.")
            .optional("postgres", &ServiceText::postgres,
                      "A PostgreSQL server of its own, on a port that edges call `postgres`.")
            .optional("external", &ServiceText::external, "host:port of a service that runs already.")
            .optional("env", &ServiceText::env, "Environment variables, added to breakwire's own.")
            .optional("cwd", &ServiceText::cwd, "The folder it is started in; left out: where breakwire was.")
            .optional("ports", &ServiceText::ports,
                      "Its ports by name: a fixed number, or \"any\". `grpc` is always there.")
            .optional("ready", &ServiceText::ready,
                      "When it counts as started; left out: when its `grpc` port accepts a connection.")
            .optional("stop", &ServiceText::stop, "How it is stopped when the run is over.")
            .optional("health", &ServiceText::health, "Its names for liveness and readiness.")
            .optional("log", &ServiceText::log, "Where it logs, and which JSON fields hold what.")
            .optional("metrics", &ServiceText::metrics, "The http:// URL of its Prometheus metrics.")
            .optional("descriptors", &ServiceText::descriptors,
                      "Where its methods are described: \"reflection\", a descriptor set, or .proto files.");
    return all;
  }

  /// Rules about several fields. They look at what is written, so that they hold of a service with other
  /// errors.
  static void check(const ServiceText& text, const Value& object, ErrorList& errors) {
    const auto given = [&](std::string_view key) { return object.find(key) != nullptr; };
    const int kinds = given("run") + given("postgres") + given("external");
    if (kinds != 1) {
      errors.push_back(
          json::error_at(object.span,
                         kinds == 0 ? "a service has `run`, `postgres` or `external`"
                                    : "a service has only one of `run`, `postgres` and `external`",
                         kinds == 0 ? "such as \"run\": [\"${bin}/orders\"]" : "make it two services"));
      return;
    }
    if (const Value* run = object.find("run"); run && run->is(Kind::array) && run->items.empty())
      errors.push_back(json::error_at(run->span, "`run` lacks the program", "such as [\"${bin}/orders\"]"));
    const auto only = [&](std::string_view key, bool allowed, const char* whom) {
      if (allowed || !given(key)) return;
      refuse_key(object, key, "`" + std::string(key) + "` is only for services that " + whom, "remove it",
                 errors);
    };
    for (auto key : {"env", "cwd", "ports", "ready", "stop"}) only(key, given("run"), "`run`");
    for (auto key : {"health", "log", "metrics", "descriptors"})
      only(key, !given("postgres"), "`run` or are `external`");
    if (const Value* url = object.find("metrics");
        url && url->is(Kind::string) && !url->text.starts_with("http://"))
      errors.push_back(json::error_at(url->span, "`metrics` is an http:// URL",
                                      "such as \"http://${address.metrics}/metrics\""));
    if (const Value* log = object.find("log");
        log && log->is(Kind::object) && given("external") && !log->find("path"))
      errors.push_back(json::error_at(log->span, "nobody sees what an `external` service prints",
                                      "say with `path` which file it logs to"));
    if (const Value* ready = object.find("ready"); ready && ready->find("grpc_health") && ready->find("tcp"))
      refuse_key(*ready, "tcp", "`ready` is either `grpc_health` or `tcp`", "remove one of the two", errors);
    if (given("run") && text.ready.tcp && !text.ready.tcp->text.empty())
      check_port(*text.ready.tcp, text, errors);
  }

  static void check_port(const Name& port, const ServiceText& text, ErrorList& errors) {
    std::vector<std::string> known = keys_of(text.ports);
    known.push_back("grpc");
    if (std::find(known.begin(), known.end(), port.text) == known.end())
      errors.push_back(
          json::error_at(port.span, "there is no port `" + port.text + "`", did_you_mean(port.text, known)));
  }
};

Descriptors descriptors_of(const DescriptorsChoice& choice) {
  Descriptors out;
  if (!choice.text) return out;
  out.from = choice.text->descriptor_set ? Descriptors::From::descriptor_set : Descriptors::From::protos;
  if (choice.text->descriptor_set) out.files.push_back(resolved(*choice.text->descriptor_set));
  for (const FilePath& path : choice.text->protos) out.files.push_back(resolved(path));
  for (const FilePath& path : choice.text->import_paths) out.import_paths.push_back(resolved(path));
  return out;
}

void add_needed(const ServiceText& text, NeededFiles& files) {
  if (text.postgres && text.postgres->schema) files.push_back(*text.postgres->schema);
  if (!text.descriptors.text) return;
  const DescriptorsText& descriptors = *text.descriptors.text;
  if (descriptors.descriptor_set) files.push_back(*descriptors.descriptor_set);
  files.insert(files.end(), descriptors.protos.begin(), descriptors.protos.end());
}

RunCommand run_of(const ServiceText& text) {
  RunCommand run;
  run.argv = *text.run;
  run.env = text.env;
  if (text.cwd) run.cwd = resolved(*text.cwd);
  run.ports["grpc"];
  for (const auto& [name, port] : text.ports) run.ports[name] = port.number;
  run.ready.grpc_health = text.ready.grpc_health;
  if (run.ready.grpc_health == "liveness") run.ready.grpc_health = text.health.liveness;
  if (run.ready.grpc_health == "readiness") run.ready.grpc_health = text.health.readiness;
  if (text.ready.tcp) run.ready.tcp = text.ready.tcp->text;
  run.ready.within = text.ready.within.time;
  run.stop = {static_cast<int>(text.stop.signal), text.stop.grace};
  return run;
}

Service service_of(const std::string& id, const ServiceText& text, const json::Span& span) {
  Service service;
  service.id = {id};
  service.span = span;
  if (text.run) service.what = run_of(text);
  if (text.external) service.what = External{text.external->host, text.external->port};
  if (text.postgres)
    service.what = PostgresService{text.postgres->schema ? resolved(*text.postgres->schema) : ""};
  service.liveness = text.health.liveness;
  service.readiness = text.health.readiness;
  service.descriptors = descriptors_of(text.descriptors);
  if (text.log) {
    service.log = LogMapping{.path = text.log->path ? resolved(*text.log->path) : "",
                             .only = text.log->only,
                             .service = text.log->service.value_or(""),
                             .method = text.log->method,
                             .code = text.log->code,
                             .duration_ms = text.log->duration_ms,
                             .trace_id = text.log->trace_id,
                             .duration_s = text.log->duration_s.value_or("")};
  }
  service.metrics = text.metrics;
  return service;
}

void read_id(const json::Member& member, ErrorList& errors) {
  Value key(member.key);
  key.span = member.key_span;
  Id id;
  Codec<Id>::read(key, id, errors);
  if (member.key == "client")
    errors.push_back(
        json::error_at(member.key_span, "`client` is the load, no service", "choose another name"));
}

void check_ports(const ServiceText& text, std::map<uint16_t, json::Span>& taken, ErrorList& errors) {
  for (const auto& [name, port] : text.ports) {
    if (!is_id(name)) {
      errors.push_back(json::error_at(port.span, "`" + name + "` cannot be the name of a port",
                                      "names are letters, digits, `_` and inner `-`"));
    }
    if (!port.number) continue;
    if (auto [first, fresh] = taken.emplace(*port.number, port.span); !fresh) {
      Error error = json::error_at(port.span, "port " + std::to_string(*port.number) + " is given twice",
                                   "choose another, or \"any\"");
      error.also.push_back(json::place_of(first->second));
      errors.push_back(std::move(error));
    }
  }
}

}  // namespace

std::vector<Service> read_services(const Value& section, NeededFiles& files, ErrorList& errors) {
  std::vector<Service> services;
  std::map<uint16_t, json::Span> taken;
  for (const json::Member& member : section.members) {
    ServiceText text;
    const size_t before = errors.size();
    read_id(member, errors);
    ServiceText::fields().read(member.value, text, errors);
    if (member.value.is(Kind::object)) ServiceText::check(text, member.value, errors);
    check_ports(text, taken, errors);
    add_needed(text, files);
    if (errors.size() == before) services.push_back(service_of(member.key, text, member.key_span));
  }
  return services;
}

FormatPart services_section() { return {"services", "a service", ServiceText::fields().info()}; }

}  // namespace breakwire::scenario
