// Histories written by hand, for tests: `at(10ms)` sets the time, every other call appends one thing that
// happened then. t = 0 is at 1000 s of the clock, so that times before it exist.
#pragma once

#include "harness/history/history.h"

namespace breakwire::history {

inline constexpr Instant t0{std::chrono::seconds(1000)};

class HistoryBuilder {
 public:
  /// client -> storefront -> orders -> inventory, a control edge to orders, one load `shoppers`.
  HistoryBuilder() : HistoryBuilder(shop()) {}
  explicit HistoryBuilder(Setup setup) : history_(std::move(setup)) {}

  static Setup shop() {
    Setup setup;
    setup.scenario = "hand-written";
    for (const char* id : {"storefront", "orders", "inventory"})
      setup.services.push_back({.id = {id}, .health = true});
    setup.edges = {{.id = {"client->storefront"}, .from = {"client"}, .to = {"storefront"}, .correlate = {}},
                   {.id = {"storefront->orders"}, .from = {"storefront"}, .to = {"orders"}, .correlate = {}},
                   {.id = {"orders->inventory"}, .from = {"orders"}, .to = {"inventory"}, .correlate = {}},
                   {.id = {"breakwire->orders"},
                    .from = {"breakwire"},
                    .to = {"orders"},
                    .correlate = {},
                    .control = true}};
    setup.loads = {{.id = {"shoppers"},
                    .via = {"client->storefront"},
                    .method = "shop.v1.StorefrontService/PlaceOrder",
                    .deadline = 800ms}};
    return setup;
  }
  HistoryBuilder& fault(FaultSetup fault) {
    Setup setup = history_.setup();
    setup.faults.push_back(std::move(fault));
    return change(std::move(setup));
  }
  HistoryBuilder& correlate(const char* edge, Correlate correlate) {
    Setup setup = history_.setup();
    for (auto& candidate : setup.edges) {
      if (candidate.id.text == edge) candidate.correlate = correlate;
    }
    return change(std::move(setup));
  }

  HistoryBuilder& at(Duration t) {
    now_ = t0 + t;
    return *this;
  }
  Instant now() const { return now_; }
  HistoryBuilder& add(Payload what) {
    number_ = history_.append(now_, std::move(what));
    return *this;
  }
  /// Of what was appended last.
  EventNumber number() const { return number_; }

  HistoryBuilder& phase(Phase phase) { return add(PhaseBegan{phase}); }

  // The load's view.
  HistoryBuilder& issue(uint64_t number, std::optional<Duration> deadline = 800ms,
                        const char* load = "shoppers") {
    CallIssued call{.load = {load},
                    .number = number,
                    .call_id = std::string(load) + "-" + std::to_string(number),
                    .trace_id = trace(number),
                    .method = "shop.v1.StorefrontService/PlaceOrder",
                    .deadline = std::nullopt,
                    .intended = now_};
    if (deadline) call.deadline = now_ + *deadline;
    issued_.push_back(call);
    return add(call);
  }
  HistoryBuilder& done(uint64_t number, StatusCode status = StatusCode::ok, const char* message = "") {
    for (const auto& call : issued_) {
      if (call.number != number) continue;
      return add(CallDone{.load = call.load,
                          .number = number,
                          .call_id = call.call_id,
                          .status = status,
                          .message = message,
                          .intended = call.intended,
                          .issued = call.intended,
                          .deadline = call.deadline,
                          .responses = status == StatusCode::ok ? 1u : 0u});
    }
    return *this;
  }
  static std::string trace(uint64_t number) {
    std::string digits = std::to_string(number);
    return std::string(32 - digits.size(), '0') + digits;
  }

  // The wire's view. A call's HEADERS are forwarded the moment they are received.
  struct Start {
    std::string method = "shop.v1.OrdersService/Place";
    std::optional<Duration> timeout = {};
    uint64_t trace = 0;  // 0: no traceparent
    unsigned previous = 0;
    bool held = false;  // not forwarded yet
    const char* parent = "";
    const char* call_id = "";
    const char* correlation = "";
  };
  HistoryBuilder& accept(const char* edge, uint64_t connection) {
    add(faults::ConnectionAccepted{{edge}, {connection}, now_});
    return add(faults::ProtocolDetected{{edge}, {connection}, now_, faults::Protocol::http2});
  }
  HistoryBuilder& start(const char* edge, uint64_t connection, StreamId stream, Start how) {
    faults::CallStarted call;
    call.edge = {edge};
    call.connection = {connection};
    call.stream = stream;
    call.times = times(!how.held);
    call.method = how.method;
    call.timeout = how.timeout;
    call.trace_id = how.trace ? trace(how.trace) : "";
    call.previous_attempts = how.previous;
    call.parent_id = how.parent;
    call.call_id = how.call_id;
    call.correlation = how.correlation;
    return add(call);
  }
  HistoryBuilder& start(const char* edge, uint64_t connection, StreamId stream) {
    return start(edge, connection, stream, Start{});
  }
  HistoryBuilder& end(const char* edge, uint64_t connection, StreamId stream,
                      StatusCode status = StatusCode::ok, const char* message = "") {
    faults::CallEnded ended;
    ended.edge = {edge};
    ended.connection = {connection};
    ended.stream = stream;
    ended.times = times(true);
    ended.status = status;
    ended.message = message;
    return add(ended);
  }
  HistoryBuilder& end_as(const char* edge, uint64_t connection, StreamId stream, faults::Ending how,
                         std::optional<Http2Error> reset = {}, bool forwarded = true) {
    faults::CallEnded ended;
    ended.edge = {edge};
    ended.connection = {connection};
    ended.stream = stream;
    ended.times = times(forwarded);
    ended.how = how;
    ended.reset = reset;
    return add(ended);
  }
  HistoryBuilder& forwarded(const char* edge, uint64_t connection, StreamId stream, faults::FrameKind frame) {
    return add(faults::Forwarded{{edge}, {connection}, stream, frame, now_});
  }
  HistoryBuilder& give_up(const char* edge, uint64_t connection, StreamId stream,
                          Http2Error code = Http2Error::cancel) {
    return add(faults::CallGivenUp{{edge}, {connection}, stream, now_, code});
  }
  HistoryBuilder& goaway(const char* edge, uint64_t connection, uint32_t last,
                         Http2Error code = Http2Error::no_error) {
    faults::GoawaySeen seen;
    seen.edge = {edge};
    seen.connection = {connection};
    seen.times = times(true);
    seen.last_stream = last;
    seen.code = code;
    return add(seen);
  }
  HistoryBuilder& close(const char* edge, uint64_t connection, faults::Peer by, bool reset = false) {
    return add(faults::ConnectionEnded{{edge}, {connection}, now_, by, reset, {}});
  }

  HistoryBuilder& health(const char* service, HealthStatus status, const char* name = "readiness") {
    return add(HealthSeen{{service}, name, status, now_, {}});
  }
  HistoryBuilder& process(const char* service, int pid) { return add(ProcessStarted{{service}, pid}); }
  HistoryBuilder& signal(const char* service, int pid, int signal, const char* fault = "") {
    return add(SignalSent{{service}, pid, signal, {fault}, 0});
  }
  HistoryBuilder& exit(const char* service, int pid, std::optional<int> code,
                       std::optional<int> signal = {}) {
    return add(ProcessExited{{service}, pid, code, signal});
  }

  HistoryBuilder& arm(const char* fault) { return add(FaultArmed{{fault}, 0}); }
  HistoryBuilder& hit(const char* fault, const char* edge = "", uint64_t connection = 0, StreamId stream = 0,
                      const char* action = "hold") {
    return add(faults::FaultHit{{edge}, {fault}, {connection}, stream, now_, action});
  }
  HistoryBuilder& clear(const char* fault, uint64_t hits = 1) {
    return add(FaultCleared{{fault}, {.eligible = hits, .hits = hits}});
  }

  const History& history() const { return history_; }
  operator const History&() const { return history_; }

 private:
  faults::FrameTimes times(bool forwarded) const {
    faults::FrameTimes times;
    times.received = now_;
    if (forwarded) times.forwarded = now_;
    return times;
  }
  HistoryBuilder& change(Setup setup) {
    History changed(std::move(setup));
    for (const auto& event : history_.events()) changed.append(event.at, event.what);
    history_ = std::move(changed);
    return *this;
  }

  History history_;
  Instant now_ = t0;
  EventNumber number_;
  std::vector<CallIssued> issued_;
};

}  // namespace breakwire::history
