// What can be wrong with a load that only gRPC and the method's description can tell.
#include <grpc/grpc.h>
#include <grpcpp/support/validate_service_config.h>

#include "harness/load/expansion.h"
#include "harness/load/load.h"

namespace breakwire::load {
namespace {

bool legal(const std::string& text, int (*judge)(grpc_slice)) {
  return judge(grpc_slice_from_static_buffer(text.data(), text.size())) != 0;
}

bool is_stamped(const std::string& key) { return key == "x-breakwire-call" || key == "traceparent"; }

}  // namespace

std::vector<const json::Value*> messages_of(const scenario::Load& load) {
  if (load.messages.empty()) return {&load.request};
  std::vector<const json::Value*> all;
  for (const auto& message : load.messages) all.push_back(&message);
  return all;
}

ErrorList problems_of(const scenario::Load& load, const Method& method, uint64_t seed) {
  ErrorList errors;
  const CallIds ids = ids_of(seed, load.id, 1);
  if (!load.messages.empty() && !method.client_streaming())
    errors.push_back(json::error_at(load.messages.front().span,
                                    "`" + load.method + "` takes one message, not a stream of them",
                                    "give `request` instead of `messages`"));
  for (const auto* message : messages_of(load)) {
    if (auto encoded = method.encode(expand_all(*message, ids)); !encoded)
      errors.insert(errors.end(), encoded.errors().begin(), encoded.errors().end());
  }
  if (load.service_config) {
    if (std::string wrong =
            grpc::experimental::ValidateServiceConfigJSON(json::write_line(*load.service_config));
        !wrong.empty())
      errors.push_back(
          json::error_at(load.service_config->span, "gRPC does not take this service config: " + wrong));
  }
  // gRPC aborts the process on metadata it does not take.
  for (const auto& [key, value] : load.metadata) {
    const std::string sent = expand(value, ids);
    if (is_stamped(key)) {
      errors.push_back(
          json::error_at(load.span, "metadata `" + key + "` is stamped on every call by breakwire itself"));
    } else if (key.starts_with("grpc-") || !legal(key, grpc_header_key_is_legal)) {
      errors.push_back(
          json::error_at(load.span, "`" + key + "` cannot be a metadata key",
                         "keys are lower-case letters, digits, `-`, `_` and `.`, not beginning with grpc-"));
    } else if (!key.ends_with("-bin") && !legal(sent, grpc_header_nonbin_value_is_legal)) {
      errors.push_back(json::error_at(load.span, "metadata `" + key + "` cannot hold \"" + sent + "\"",
                                      "values are printable ASCII; a key ending in -bin holds any bytes"));
    }
  }
  if (!legal(ids.call_id, grpc_header_nonbin_value_is_legal))
    errors.push_back(
        json::error_at(load.span, "the load's name `" + load.id.text + "` is not printable ASCII"));
  return errors;
}

}  // namespace breakwire::load
