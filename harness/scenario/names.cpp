// Who is who in a scenario, with "did you mean" for who is nobody.
#include "harness/scenario/sections.h"

namespace breakwire::scenario {

bool FaultName::instant() const {
  if (!kind) return false;
  return kind->lifetime == faults::Lifetime::instant ||
         (kind->lifetime == faults::Lifetime::optional_span && !has_length);
}

bool FaultName::endless() const { return kind && kind->lifetime == faults::Lifetime::span && !has_length; }

void Names::unknown(std::string_view what, const Name& name, const std::vector<std::string>& known,
                    ErrorList& errors) const {
  if (!whole) return;
  std::string hint = did_you_mean(name.text, known);
  if (hint.empty()) hint = "there is no " + std::string(what) + " in this scenario";
  errors.push_back(
      json::error_at(name.span, "there is no " + std::string(what) + " `" + name.text + "`", hint));
}

const Service* Names::service(const Name& name, ErrorList& errors) const {
  if (auto found = services.find(name.text); found != services.end()) return found->second;
  unknown("service", name, keys_of(services), errors);
  return nullptr;
}

const Edge* Names::edge(const Name& name, ErrorList& errors) const {
  if (auto found = edges.find(name.text); found != edges.end()) return found->second;
  unknown("edge", name, keys_of(edges), errors);
  return nullptr;
}

const Edge* Names::call_edge(const Name& name, std::string_view who, ErrorList& errors) const {
  const Edge* found = edge(name, errors);
  if (!found || found->protocol != EdgeProtocol::tcp) return found;
  errors.push_back(json::error_at(name.span,
                                  std::string(who) + " needs calls, and `" + name.text + "` is plain TCP",
                                  "name an edge that carries gRPC"));
  return nullptr;
}

const FaultName* Names::fault(const Name& name, ErrorList& errors) const {
  if (auto found = faults.find(name.text); found != faults.end()) return &found->second;
  unknown("fault", name, keys_of(faults), errors);
  return nullptr;
}

bool is_postgres(const Service& service) { return std::holds_alternative<PostgresService>(service.what); }
bool is_external(const Service& service) { return std::holds_alternative<External>(service.what); }

std::vector<std::string> ports_of(const Service& service) {
  if (const auto* run = std::get_if<RunCommand>(&service.what)) return keys_of(run->ports);
  return {is_postgres(service) ? "postgres" : "grpc"};
}

const json::Member* member_of(const json::Value& object, std::string_view key) {
  for (const auto& member : object.members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

void refuse_key(const json::Value& object, std::string_view key, std::string what, std::string hint,
                ErrorList& errors) {
  const json::Member* member = member_of(object, key);
  errors.push_back(json::error_at(member ? member->key_span : object.span, std::move(what), std::move(hint)));
}

}  // namespace breakwire::scenario
