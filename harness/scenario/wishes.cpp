// Whether what a check wishes to see can be seen in this scenario.
#include "harness/scenario/sections.h"

namespace breakwire::scenario {
namespace {

using json::Value;

/// The service under `key`, when there is one and it is right.
const Service* service_at(const Value& entry, const Names& names, const ServiceId& id) {
  const auto found = names.services.find(id.text);
  return entry.is(json::Kind::object) && found != names.services.end() ? found->second : nullptr;
}

json::Span place_of_value(const Value& entry, std::string_view key) {
  const Value* written = entry.find(key);
  return written ? written->span : entry.span;
}

}  // namespace

void check_wishes(const Value& entry, const checks::Check& check, const Names& names, ErrorList& errors) {
  for (const auto& wish : check.wishes()) {
    if (const auto* ledger = std::get_if<checks::LedgerWish>(&wish)) {
      const Service* database = service_at(entry, names, ledger->database);
      if (database && !is_postgres(*database))
        errors.push_back(json::error_at(place_of_value(entry, "database"),
                                        "`" + ledger->database.text + "` is no PostgreSQL of this scenario",
                                        "name a service with `postgres`"));
    } else if (const auto* resources = std::get_if<checks::ResourceWish>(&wish)) {
      const Service* service = service_at(entry, names, resources->service);
      if (service && is_external(*service))
        errors.push_back(json::error_at(
            place_of_value(entry, "service"),
            "`" + resources->service.text + "` is not started by breakwire, so its process is not known",
            "name a service with `run` or `postgres`"));
    }
  }
}

void refuse_shared_answers(const std::vector<Expectation>& checks, ErrorList& errors) {
  std::map<std::string, const Expectation*> first;
  for (const auto& expectation : checks) {
    const auto wishes = expectation.spec.check->wishes();
    const bool asks = std::any_of(wishes.begin(), wishes.end(), [](const auto& wish) {
      return std::holds_alternative<checks::LedgerWish>(wish) ||
             std::holds_alternative<checks::CommandWish>(wish);
    });
    if (!asks) continue;
    const auto [other, fresh] = first.emplace(expectation.spec.name, &expectation);
    if (fresh) continue;
    // Equal ids are refused elsewhere; an id may also be the name that a check without one has by its kind.
    const Value* id = expectation.entry.find("id");
    if (id && other->second->entry.find("id")) continue;
    Error error = json::error_at(
        id ? id->span : expectation.entry.span,
        "two checks `" + expectation.spec.name + "`: the answer to one must not be taken for the other's",
        id ? "give it another `id`" : "give it an `id`");
    error.also.push_back(json::place_of(other->second->entry.span));
    errors.push_back(std::move(error));
  }
}

}  // namespace breakwire::scenario
