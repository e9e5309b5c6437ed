#include "services/kit/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <mutex>
#include <tuple>

namespace breakwire::kit {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Labels;

constexpr std::size_t most_methods = 256;
constexpr int deadline_exceeded = 4;

// prom.DefBuckets, which go-grpc-prometheus uses: seconds.
const Histogram::BucketBoundaries buckets{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

const char* name_of(CallType type) {
  switch (type) {
    case CallType::unary:
      return "unary";
    case CallType::client_stream:
      return "client_stream";
    case CallType::server_stream:
      return "server_stream";
    case CallType::bidi_stream:
      return "bidi_stream";
  }
  return "unary";
}

/// What is counted on one side.
struct Families {
  Families(prometheus::Registry& registry, const std::string& side)
      : started(counter(registry, side + "_started_total", "Calls begun on the " + side + "'s side.")),
        handled(counter(registry, side + "_handled_total",
                        "Calls ended on the " + side + "'s side, whatever their code.")),
        timeouts(counter(registry, side + "_timeouts_total",
                         "Calls ended on the " + side + "'s side with DEADLINE_EXCEEDED.")),
        received(counter(registry, side + "_msg_received_total",
                         "Messages received on the " + side + "'s side, of streams and of single calls.")),
        sent(counter(registry, side + "_msg_sent_total",
                     "Messages sent on the " + side + "'s side, of streams and of single calls.")),
        seconds(prometheus::BuildHistogram()
                    .Name("grpc_" + side + "_handling_seconds")
                    .Help("From the begin to the end of a call on the " + side + "'s side.")
                    .Register(registry)) {}
  static Family<Counter>& counter(prometheus::Registry& registry, const std::string& name,
                                  const std::string& help) {
    return prometheus::BuildCounter().Name("grpc_" + name).Help(help).Register(registry);
  }
  Family<Counter>& started;
  Family<Counter>& handled;
  Family<Counter>& timeouts;
  Family<Counter>& received;
  Family<Counter>& sent;
  Family<Histogram>& seconds;
};

/// One method on one side.
struct Method {
  Labels labels;
  Counter* started = nullptr;
  Counter* timeouts = nullptr;
  Counter* received = nullptr;
  Counter* sent = nullptr;
  Histogram* seconds = nullptr;
  std::map<int, Counter*> handled;
};

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;
  Families server{registry, "server"};
  Families client{registry, "client"};
  std::function<std::uint64_t()> dropped_lines;
  std::mutex mutex;
  std::map<std::tuple<Side, CallType, std::string>, Method> methods;

  Families& of(Side side) { return side == Side::server ? server : client; }

  /// With the lock held.
  Method& method(Side side, CallType type, std::string name) {
    auto known = methods.find({side, type, name});
    if (known != methods.end()) return known->second;
    if (methods.size() >= most_methods) name = "other/other";
    Method& method = methods[{side, type, name}];
    if (method.started != nullptr) return method;
    auto slash = std::min(name.rfind('/'), name.size());
    method.labels = {{"grpc_type", name_of(type)},
                     {"grpc_service", name.substr(0, slash)},
                     {"grpc_method", slash < name.size() ? name.substr(slash + 1) : ""}};
    method.started = &of(side).started.Add(method.labels);
    method.timeouts = &of(side).timeouts.Add(method.labels);
    method.received = &of(side).received.Add(method.labels);
    method.sent = &of(side).sent.Add(method.labels);
    method.seconds = &of(side).seconds.Add(method.labels, buckets);
    return method;
  }
};

Metrics::Metrics(Flaws flaws, std::function<std::uint64_t()> dropped_lines)
    : flaws_(flaws), parts_(std::make_unique<Parts>()) {
  parts_->dropped_lines = std::move(dropped_lines);
}

Metrics::~Metrics() = default;

void Metrics::began(Side side, CallType type, const std::string& method) {
  std::lock_guard lock(parts_->mutex);
  parts_->method(side, type, method).started->Increment();
}

void Metrics::ended(Side side, CallType type, const std::string& method, int code,
                    std::chrono::microseconds duration) {
  if (code == deadline_exceeded && flaws_.has(Flaw::uncounted_timeouts)) return;
  std::lock_guard lock(parts_->mutex);
  Method& counted = parts_->method(side, type, method);
  Counter*& handled = counted.handled[code];
  if (handled == nullptr) {
    Labels labels = counted.labels;
    labels["grpc_code"] = metric_code(code);
    handled = &parts_->of(side).handled.Add(labels);
  }
  handled->Increment();
  if (code == deadline_exceeded) counted.timeouts->Increment();
  counted.seconds->Observe(static_cast<double>(duration.count()) / 1e6);
}

void Metrics::sent(Side side, CallType type, const std::string& method) {
  std::lock_guard lock(parts_->mutex);
  parts_->method(side, type, method).sent->Increment();
}

void Metrics::received(Side side, CallType type, const std::string& method) {
  std::lock_guard lock(parts_->mutex);
  parts_->method(side, type, method).received->Increment();
}

std::string Metrics::text() const {
  auto families = parts_->registry.Collect();
  prometheus::MetricFamily dropped{.name = "log_lines_dropped_total",
                                   .help = "Lines of the call log that nobody took in time.",
                                   .type = prometheus::MetricType::Counter,
                                   .metric = {prometheus::ClientMetric{}}};
  dropped.metric.front().counter.value = static_cast<double>(parts_->dropped_lines());
  families.push_back(std::move(dropped));
  return prometheus::TextSerializer().Serialize(families);
}

std::string metric_code(int code) {
  static constexpr std::array<const char*, 17> names{
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  if (code < 0 || code >= static_cast<int>(names.size())) return "Code(" + std::to_string(code) + ")";
  return names[static_cast<std::size_t>(code)];
}

}  // namespace breakwire::kit
