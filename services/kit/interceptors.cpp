#include "services/kit/interceptors.h"

#include <charconv>
#include <string_view>

namespace breakwire::kit {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using SteadyClock = std::chrono::steady_clock;
using SystemClock = std::chrono::system_clock;

/// The context of a call, with its span. The server's interceptor fills the span in before the handler runs.
class SpanContext : public grpc::CallbackServerContext {
 public:
  Span span;
};

class SpanContexts : public grpc::ContextAllocator {
 public:
  grpc::CallbackServerContext* NewCallbackServerContext() override { return new SpanContext; }
  // gRPC hands over the contexts of unknown methods too, which it made itself and deletes itself.
  void Release(grpc::CallbackServerContext* context) override { delete dynamic_cast<SpanContext*>(context); }
};

/// Health and reflection: "/grpc.health.v1.Health/Check".
bool is_about_the_server(std::string_view method) { return method.starts_with("/grpc."); }

std::string without_slash(std::string_view method) {
  return std::string(method.starts_with('/') ? method.substr(1) : method);
}

std::optional<std::chrono::milliseconds> time_left(SystemClock::time_point deadline) {
  if (deadline == SystemClock::time_point::max()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SystemClock::now());
}

int attempt_number(const std::multimap<std::string, std::string>& metadata) {
  auto previous = metadata.find("grpc-previous-rpc-attempts");
  if (previous == metadata.end()) return 1;
  int count = 0;
  const std::string& text = previous->second;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() ? count + 1 : 1;
}

/// The part both sides share: one record, written exactly once, at the latest when gRPC lets go of the call.
class Logged : public grpc::experimental::Interceptor {
 public:
  Logged(CallLog& log, Side side, const char* method) : log_(log) {
    record_.side = side;
    record_.began = SystemClock::now();
    record_.method = without_slash(method);
    record_.code = grpc::StatusCode::CANCELLED;  // what a call is that ended without a status
  }
  ~Logged() override { write(); }

 protected:
  void write(int code, std::string message) {
    record_.code = code;
    record_.message = std::move(message);
    write();
  }

  CallLog& log_;
  CallRecord record_;

 private:
  void write() {
    if (written_) return;
    written_ = true;
    record_.duration = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began_);
    log_.write(record_);
  }

  const SteadyClock::time_point began_ = SteadyClock::now();
  bool written_ = false;
};

class ServerSide : public Logged {
 public:
  ServerSide(CallLog& log, grpc::experimental::ServerRpcInfo* info)
      : Logged(log, Side::server, info->method()), info_(info) {
    log_.in_flight.fetch_add(1);
  }
  ~ServerSide() override { log_.in_flight.fetch_sub(1); }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA))
      begin(*methods);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS))
      end(methods->GetSendStatus());
    methods->Proceed();
  }

 private:
  void begin(InterceptorBatchMethods& methods) {
    auto* context = info_->server_context();
    std::multimap<std::string, std::string> metadata;
    for (const auto& [key, value] : *methods.GetRecvInitialMetadata())
      metadata.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
    record_.span = span_of_call(metadata);
    record_.attempt = attempt_number(metadata);
    record_.peer = context->peer();
    deadline_ = context->deadline();
    record_.deadline_left = time_left(deadline_);
    if (auto* carrier = dynamic_cast<SpanContext*>(context)) carrier->span = record_.span;
  }

  /// What the caller was told: of a call that ended before its handler did, not what the handler came up with
  /// later.
  void end(const grpc::Status& status) {
    bool ended_early =
        info_->server_context()->IsCancelled() || status.error_code() == grpc::StatusCode::CANCELLED;
    if (!ended_early) return write(status.error_code(), status.error_message());
    bool expired = deadline_ <= SystemClock::now() + std::chrono::milliseconds(5);
    write(expired ? grpc::StatusCode::DEADLINE_EXCEEDED : grpc::StatusCode::CANCELLED,
          "ended before it was answered");
  }

  grpc::experimental::ServerRpcInfo* const info_;
  SystemClock::time_point deadline_ = SystemClock::time_point::max();
};

class ClientSide : public Logged {
 public:
  ClientSide(CallLog& log, grpc::experimental::ClientRpcInfo* info)
      : Logged(log, Side::client, info->method()), info_(info) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA))
      begin(*methods);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_STATUS)) {
      record_.peer = info_->client_context()->peer();
      const grpc::Status& status = *methods->GetRecvStatus();
      write(status.error_code(), status.error_message());
    }
    methods->Proceed();
  }

 private:
  void begin(InterceptorBatchMethods& methods) {
    auto& metadata = *methods.GetSendInitialMetadata();
    record_.span = span_of_call(metadata);
    metadata.erase("traceparent");
    metadata.erase("tracestate");
    metadata.emplace("traceparent", record_.span.traceparent());
    if (!record_.span.tracestate.empty()) metadata.emplace("tracestate", record_.span.tracestate);
    record_.deadline_left = time_left(info_->client_context()->deadline());
  }

  grpc::experimental::ClientRpcInfo* const info_;
};

class ServerSideFactory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit ServerSideFactory(CallLog& log) : log_(log) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    return is_about_the_server(info->method()) ? nullptr : new ServerSide(log_, info);
  }

 private:
  CallLog& log_;
};

class ClientSideFactory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit ClientSideFactory(CallLog& log) : log_(log) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo* info) override {
    return new ClientSide(log_, info);
  }

 private:
  CallLog& log_;
};

}  // namespace

ServerInterceptors server_interceptors(CallLog& log) {
  ServerInterceptors result;
  result.push_back(std::make_unique<ServerSideFactory>(log));
  return result;
}

ClientInterceptors client_interceptors(CallLog& log) {
  ClientInterceptors result;
  result.push_back(std::make_unique<ClientSideFactory>(log));
  return result;
}

std::unique_ptr<grpc::ContextAllocator> span_carrying_contexts() { return std::make_unique<SpanContexts>(); }

void carry_trace(const grpc::CallbackServerContext& incoming, grpc::ClientContext& outgoing) {
  const auto* carrier = dynamic_cast<const SpanContext*>(&incoming);
  if (carrier == nullptr || carrier->span.trace_id.empty()) return;
  outgoing.AddMetadata("traceparent", carrier->span.traceparent());
  if (!carrier->span.tracestate.empty()) outgoing.AddMetadata("tracestate", carrier->span.tracestate);
}

}  // namespace breakwire::kit
