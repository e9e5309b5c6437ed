#include "services/kit/interceptors.h"

#include <charconv>
#include <mutex>
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

template <class Info>
CallType type_of(const Info& info) {
  switch (info.type()) {
    case Info::Type::CLIENT_STREAMING:
      return CallType::client_stream;
    case Info::Type::SERVER_STREAMING:
      return CallType::server_stream;
    case Info::Type::BIDI_STREAMING:
      return CallType::bidi_stream;
    default:
      return CallType::unary;
  }
}

/// The part both sides share: one record, written and counted exactly once, at the latest when gRPC lets go
/// of the call. `end` may be called from several threads at once; the first one is meant.
class Logged : public grpc::experimental::Interceptor {
 public:
  Logged(CallLog& log, Side side, CallType type, const char* method) : log_(log) {
    record_.side = side;
    record_.type = type;
    record_.began = SystemClock::now();
    record_.method = without_slash(method);
    log_.began(record_);
  }

 protected:
  void end(int code, std::string message) {
    if (ended_.exchange(true)) return;
    record_.code = code;
    record_.message = std::move(message);
    record_.duration = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began_);
    log_.ended(record_);
  }

  void count_messages(InterceptorBatchMethods& methods) {
    if (methods.QueryInterceptionHookPoint(InterceptionHookPoints::POST_SEND_MESSAGE) &&
        methods.GetSendMessageStatus())
      log_.sent(record_);
    // At the end of a stream a read ends without a message.
    if (methods.QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE) &&
        methods.GetRecvMessage() != nullptr)
      log_.received(record_);
  }

  /// Whether a call that is cancelled now is so because its deadline has come. Clocks along a chain of calls
  /// began at different times, and grpc-timeout is rounded up by as much as 1 % on each hop: whoever gives up
  /// at its deadline does so a little before what is the deadline here.
  bool time_is_up() const {
    using namespace std::chrono_literals;
    if (!record_.deadline_left) return false;
    auto early =
        *record_.deadline_left / 50 + std::min<std::chrono::milliseconds>(20ms, *record_.deadline_left / 4);
    return SystemClock::now() + early >= deadline_;
  }

  void has_deadline(SystemClock::time_point deadline) {
    deadline_ = deadline;
    record_.deadline_left = time_left(deadline);
  }

  /// Of a call nobody answered.
  int code_of_cancel() const {
    return time_is_up() ? grpc::StatusCode::DEADLINE_EXCEEDED : grpc::StatusCode::CANCELLED;
  }

  CallLog& log_;
  CallRecord record_;

 private:
  const SteadyClock::time_point began_ = SteadyClock::now();
  SystemClock::time_point deadline_ = SystemClock::time_point::max();
  std::atomic<bool> ended_ = false;
};

class ServerSide : public Logged {
 public:
  ServerSide(CallLog& log, grpc::experimental::ServerRpcInfo* info)
      : Logged(log, Side::server, type_of(*info), info->method()), info_(info) {
    log_.in_flight.fetch_add(1);
  }
  ~ServerSide() override {
    end_unanswered();
    log_.in_flight.fetch_sub(1);
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA))
      begin(*methods);
    count_messages(*methods);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS))
      answer(methods->GetSendStatus());
    // The call is over; when it was cancelled its handler may go on for long.
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_CLOSE) &&
        info_->server_context()->IsCancelled())
      end_unanswered();
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
    has_deadline(context->deadline());
    if (auto* carrier = dynamic_cast<SpanContext*>(context)) carrier->span = record_.span;
  }

  /// What the caller was told: of a call that ended before its handler did, not what the handler came up with
  /// later.
  void answer(const grpc::Status& status) {
    if (info_->server_context()->IsCancelled() || status.error_code() == grpc::StatusCode::CANCELLED)
      return end_unanswered();
    end(status.error_code(), status.error_message());
  }

  void end_unanswered() { end(code_of_cancel(), "ended before it was answered"); }

  grpc::experimental::ServerRpcInfo* const info_;
};

/// For the flaw trace-crosstalk: the trace of the call before, kept where all calls can reach it.
class SharedSpan {
 public:
  Span exchange(Span mine) {
    std::lock_guard lock(mutex_);
    return last_.trace_id.empty() ? last_ = std::move(mine) : std::exchange(last_, std::move(mine));
  }
  std::atomic<int> calls{0};  // that have begun and not ended

 private:
  std::mutex mutex_;
  Span last_;
};

class ClientSide : public Logged {
 public:
  ClientSide(CallLog& log, SharedSpan& shared, grpc::experimental::ClientRpcInfo* info)
      : Logged(log, Side::client, type_of(*info), info->method()), shared_(shared), info_(info) {
    shared_.calls.fetch_add(1);
  }
  ~ClientSide() override {
    end(grpc::StatusCode::CANCELLED, "given up");
    over();
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA))
      begin(*methods);
    count_messages(*methods);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_STATUS)) {
      record_.peer = info_->client_context()->peer();
      const grpc::Status& status = *methods->GetRecvStatus();
      bool cancelled = status.error_code() == grpc::StatusCode::CANCELLED;
      end(cancelled ? code_of_cancel() : status.error_code(), status.error_message());
      over();
    }
    methods->Proceed();
  }

 private:
  void begin(InterceptorBatchMethods& methods) {
    auto& metadata = *methods.GetSendInitialMetadata();
    record_.span = span_of_call(metadata);
    has_deadline(info_->client_context()->deadline());
    metadata.erase("traceparent");
    metadata.erase("tracestate");
    if (log_.flaws().has(Flaw::no_trace)) return;
    Span sent = record_.span;
    if (log_.flaws().has(Flaw::trace_crosstalk)) {
      Span before = shared_.exchange(sent);
      if (shared_.calls.load() > 1) sent = before;
    }
    metadata.emplace("traceparent", sent.traceparent());
    if (!sent.tracestate.empty()) metadata.emplace("tracestate", sent.tracestate);
  }

  void over() {
    if (!std::exchange(over_, true)) shared_.calls.fetch_sub(1);
  }

  SharedSpan& shared_;
  bool over_ = false;
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
    return new ClientSide(log_, shared_, info);
  }

 private:
  CallLog& log_;
  SharedSpan shared_;
};

}  // namespace

CallLog::CallLog(std::string service, int fd, Flaws flaws, std::size_t lines)
    : service_(std::move(service)),
      flaws_(flaws),
      writer_(fd, lines),
      metrics_(flaws, [this] { return writer_.dropped(); }) {}

void CallLog::ended(const CallRecord& record) {
  metrics_.ended(record.side, record.type, record.method, record.code, record.duration);
  if (record.code != grpc::StatusCode::OK && flaws_.has(Flaw::log_only_success)) return;
  writer_.write(to_json_line(service_, record));
}

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
