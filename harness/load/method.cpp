// Finds a method and makes its requests.
#include <google/protobuf/util/type_resolver_util.h>

#include <algorithm>

#include "harness/load/descriptors.h"
#include "harness/load/load.h"
#include "harness/load/request.h"

namespace breakwire::load {
namespace {

namespace pb = google::protobuf;

class FoundMethod final : public Method {
 public:
  FoundMethod(std::unique_ptr<pb::DescriptorPool> pool, const pb::MethodDescriptor& method)
      : pool_(std::move(pool)),
        method_(method),
        resolver_(pb::util::NewTypeResolverForDescriptorPool("type.googleapis.com", pool_.get())) {}

  bool client_streaming() const override { return method_.client_streaming(); }
  bool server_streaming() const override { return method_.server_streaming(); }
  Result<std::string> encode(const json::Value& request) const override {
    return encode_json(*method_.input_type(), *resolver_, request);
  }

 private:
  std::unique_ptr<pb::DescriptorPool> pool_;
  const pb::MethodDescriptor& method_;  // of pool_
  std::unique_ptr<pb::util::TypeResolver> resolver_;
};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nothing" : text;
}

std::string slip(const std::string& word, const std::vector<std::string>& names) {
  const std::string best = closest(word, names);
  return best.empty() ? "" : "did you mean `" + best + "`?";
}

Error unknown_service(const std::string& service, Catalogue catalogue, const json::Span& span) {
  // Infrastructure is never what was meant.
  std::erase_if(catalogue.services, [](const std::string& name) {
    return name.starts_with("grpc.reflection.") || name == "grpc.health.v1.Health";
  });
  std::sort(catalogue.services.begin(), catalogue.services.end());
  return json::error_at(
      span, catalogue.source + " has no service `" + service + "`; it has " + listed(catalogue.services),
      slip(service, catalogue.services));
}

Error unknown_method(const std::string& name, const pb::ServiceDescriptor& service, const json::Span& span) {
  std::vector<std::string> names;
  for (int i = 0; i < service.method_count(); ++i) names.push_back(service.method(i)->name());
  return json::error_at(
      span, "service " + service.full_name() + " has no method `" + name + "`; it has " + listed(names),
      slip(name, names));
}

}  // namespace

Result<std::shared_ptr<const Method>> find_method(const std::string& method,
                                                  const scenario::Descriptors& descriptors,
                                                  const std::string& target, Duration within,
                                                  const json::Span& span, const std::stop_token& stop,
                                                  bool* unanswered) {
  const size_t slash = method.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == method.size() ||
      method.find('/', slash + 1) != std::string::npos) {
    return json::error_at(span, "`" + method + "` is not a method", "write pkg.Service/Method");
  }
  const std::string service_name = method.substr(0, slash), name = method.substr(slash + 1);

  auto catalogue = gather(descriptors, target, service_name, within, span, stop);
  if (!catalogue) {
    if (unanswered) *unanswered = descriptors.from == scenario::Descriptors::From::reflection;
    return catalogue.errors();
  }
  auto pool = build_pool(*catalogue, span);
  if (!pool) return pool.errors();
  const auto* service = pool.value()->FindServiceByName(service_name);
  if (service == nullptr) return unknown_service(service_name, *catalogue, span);
  const auto* found = service->FindMethodByName(name);
  if (found == nullptr) return unknown_method(name, *service, span);
  return std::shared_ptr<const Method>(std::make_shared<FoundMethod>(std::move(pool).value(), *found));
}

}  // namespace breakwire::load
