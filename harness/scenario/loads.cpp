// `load`: who calls what, how often, for how long.
#include "harness/scenario/sections.h"

namespace breakwire::scenario {
namespace {

using json::Kind;
using json::Value;

struct LoadText {
  Name via;
  std::optional<MethodName> method;
  Value request = json::object();
  std::vector<Value> messages;
  std::map<std::string, std::string> metadata;
  std::optional<Length> deadline;
  std::optional<LoadModel> model;
  std::optional<Rate> rate;
  std::optional<Count> concurrency;
  std::optional<Length> length;
  std::optional<Count> calls;
  std::optional<Duration> cancel_after;
  Count connections;
  std::optional<Value> service_config;
  std::vector<StatusCode> baseline_status{StatusCode::ok};
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::optional<FilePath> cwd;

  static const Fields<LoadText>& fields() {
    static const auto all =
        Fields<LoadText>()
            .required("via", &LoadText::via, "The edge it calls through; one that begins at `client`.")
            .optional("method", &LoadText::method, "What is called: pkg.Service/Method.")
            .optional("request", &LoadText::request,
                      "The request as JSON. `${uuid}` is new for each call, `${call}` is its number.")
            .optional(
                "messages", &LoadText::messages,
                "The messages of a client or bidirectional stream, instead; sent at once, one after the "
                "other. For a method that takes one message they are an error when the run begins.")
            .optional("metadata", &LoadText::metadata,
                      "Request metadata; `${uuid}` and `${call}` as in requests.")
            .optional("deadline", &LoadText::deadline, "Every call's deadline; left out: none.")
            .optional("model", &LoadText::model,
                      "`open`: calls begin at a `rate`, whatever becomes of them; `closed`: each of "
                      "`concurrency` callers waits for its answer. Follows from those two when left out.")
            .optional("rate", &LoadText::rate, "Of the open model; left out: 10/s.")
            .optional("concurrency", &LoadText::concurrency, "Of the closed model; left out: 1.")
            .optional(
                "for", &LoadText::length,
                "How long calls begin. A command is ended then (SIGTERM, and 2 s later SIGKILL), which is "
                "no failure.")
            .optional("calls", &LoadText::calls, "How many calls begin; with `for`: whichever is first.")
            .optional("cancel_after", &LoadText::cancel_after,
                      "Each call is cancelled when it has taken this long.")
            .optional("connections", &LoadText::connections, "How many connections the calls take turns on.")
            .optional("service_config", &LoadText::service_config,
                      "gRPC's service config as JSON: retries, load balancing. Left out: no retries.")
            .optional("baseline_status", &LoadText::baseline_status,
                      "What calls may end with during the baseline.")
            .optional("command", &LoadText::command,
                      "Your own client instead: the program and its arguments, with the placeholders of a "
                      "service's `run`. The wire and its exit code judge it.")
            .optional("env", &LoadText::env,
                      "Environment variables of the command, added to breakwire's own.")
            .optional("cwd", &LoadText::cwd,
                      "The folder the command is started in; left out: where breakwire was.");
    return all;
  }

  /// Rules about several fields. They look at what is written, so that they hold of a load with other errors.
  static void check(const LoadText& text, const Value& object, ErrorList& errors) {
    const auto given = [&](std::string_view key) { return object.find(key) != nullptr; };
    const auto refuse = [&](std::string_view key, std::string what, std::string hint) {
      refuse_key(object, key, std::move(what), std::move(hint), errors);
    };
    if (const Value* command = object.find("command")) {
      if (command->is(Kind::array) && command->items.empty())
        errors.push_back(
            json::error_at(command->span, "`command` lacks the program", "such as [\"./my-client\"]"));
      for (auto key : {"method", "request", "messages", "metadata", "deadline", "model", "rate",
                       "concurrency", "calls", "cancel_after", "connections", "service_config"}) {
        if (given(key)) refuse(key, "`" + std::string(key) + "` is the command's own business", "remove it");
      }
      return;
    }
    for (auto key : {"env", "cwd"}) {
      if (given(key)) refuse(key, "`" + std::string(key) + "` is only for a `command`", "remove it");
    }
    if (!given("method"))
      errors.push_back(
          json::error_at(object.span, "`method` is missing", "what is called: pkg.Service/Method"));
    if (!given("for") && !given("calls"))
      errors.push_back(json::error_at(object.span, "a load needs an end", "give `for` or `calls`"));
    if (given("rate") && given("concurrency")) {
      refuse("concurrency", "a load has `rate` or `concurrency`, not both",
             "`rate` is the open model, `concurrency` the closed one");
    } else if (text.model == LoadModel::open && given("concurrency")) {
      refuse("concurrency", "`concurrency` belongs to the closed model", "give `rate`, or remove `model`");
    } else if (text.model == LoadModel::closed && given("rate")) {
      refuse("rate", "`rate` belongs to the open model", "give `concurrency`, or remove `model`");
    }
    if (given("request") && given("messages"))
      refuse("messages", "a load has `request` or `messages`, not both", "`messages` are for streams");
    for (auto key : {"request", "service_config"}) {
      if (const Value* value = object.find(key); value && !value->is(Kind::object))
        described::wrong_kind(*value, "an object", errors);
    }
    if (const Value* messages = object.find("messages");
        messages && messages->is(Kind::array) && messages->items.empty())
      errors.push_back(json::error_at(messages->span, "a stream of no messages is not supported",
                                      "leave it out for one empty message"));
    for (const Value& message : text.messages) {
      if (!message.is(Kind::object)) described::wrong_kind(message, "an object", errors);
    }
    if (const Value* status = object.find("baseline_status");
        status && status->is(Kind::array) && status->items.empty())
      errors.push_back(json::error_at(status->span, "with no status at all no baseline can be green",
                                      "leave it out for OK"));
    if (const Value* metadata = object.find("metadata"); metadata && metadata->is(Kind::object))
      check_metadata(*metadata, errors);
  }

  /// RFC 9113 §8.2.1 and PROTOCOL-HTTP2.md: lower case, and `grpc-` is reserved.
  static void check_metadata(const Value& metadata, ErrorList& errors) {
    for (const json::Member& member : metadata.members) {
      const bool good =
          !member.key.empty() && std::all_of(member.key.begin(), member.key.end(), [](unsigned char c) {
            return std::islower(c) || std::isdigit(c) || c == '-' || c == '_' || c == '.';
          });
      if (!good) {
        errors.push_back(json::error_at(member.key_span, "`" + member.key + "` cannot be a metadata key",
                                        "lower-case letters, digits, `-`, `_` and `.`"));
      } else if (member.key.starts_with("grpc-")) {
        errors.push_back(json::error_at(member.key_span, "`grpc-` is reserved for gRPC itself", ""));
      }
    }
  }
};

Load load_of(const std::string& id, const LoadText& text, const json::Span& span) {
  Load load;
  load.id = {id};
  load.span = span;
  load.via = {text.via.text};
  if (text.method) load.method = text.method->text;
  load.request = text.request;
  load.messages = text.messages;
  load.metadata = text.metadata;
  if (text.deadline) load.deadline = text.deadline->time;
  load.model = text.model.value_or(text.concurrency ? LoadModel::closed : LoadModel::open);
  if (text.rate) load.rate = *text.rate;
  if (text.concurrency) load.concurrency = static_cast<unsigned>(text.concurrency->value);
  if (text.length) load.length = text.length->time;
  if (text.calls) load.calls = text.calls->value;
  load.cancel_after = text.cancel_after;
  load.connections = static_cast<unsigned>(text.connections.value);
  load.service_config = text.service_config;
  load.baseline_status = {text.baseline_status.begin(), text.baseline_status.end()};
  load.command = text.command;
  load.env = text.env;
  if (text.cwd) load.cwd = resolved(*text.cwd);
  return load;
}

void check_via(const Name& via, bool command, const Names& names, ErrorList& errors) {
  const Edge* edge = command ? names.edge(via, errors) : names.call_edge(via, "a load", errors);
  if (!edge || edge->from.text == "client") return;
  errors.push_back(json::error_at(
      via.span, "a load dials from `client`, and this edge begins at `" + edge->from.text + "`",
      "name an edge `client->…`"));
}

}  // namespace

std::vector<Load> read_loads(const Value& section, const Names& names, ErrorList& errors) {
  std::vector<Load> loads;
  std::map<std::string, json::Span> commands;  // by the edge they call through
  for (const json::Member& member : section.members) {
    const size_t before = errors.size();
    Value key(member.key);
    key.span = member.key_span;
    Id id;
    Codec<Id>::read(key, id, errors);
    LoadText text;
    LoadText::fields().read(member.value, text, errors);
    if (member.value.is(Kind::object)) LoadText::check(text, member.value, errors);
    const bool command = member.value.find("command") != nullptr;
    if (!text.via.text.empty()) check_via(text.via, command, names, errors);
    if (command && !text.via.text.empty()) {
      if (auto [first, fresh] = commands.emplace(text.via.text, text.via.span); !fresh) {
        Error error = json::error_at(text.via.span, "on one edge two commands cannot be told apart",
                                     "start both from one script");
        error.also.push_back(json::place_of(first->second));
        errors.push_back(std::move(error));
      }
    }
    if (errors.size() == before) loads.push_back(load_of(member.key, text, member.key_span));
  }
  return loads;
}

FormatPart load_section() { return {"load", "a load", LoadText::fields().info()}; }

}  // namespace breakwire::scenario
