// graceful_shutdown: what a service owes the world between SIGTERM and its exit.
#include <algorithm>

#include "harness/checks/drain.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/names.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using faults::Ending;
using history::Attempt;

/// A connection may be under way to the listener while it closes.
constexpr Duration listener_slack = 100ms;
/// What C-core's Server::Shutdown says to calls that outlive its grace.
constexpr std::string_view cut_by_ccore = "Cancelling all calls";

class GracefulShutdown : public Check {
 public:
  ServiceId service;
  Duration within{};
  int exit_code = 0;
  Probe probe = Probe::readiness;

  static const Fields<GracefulShutdown>& fields() {
    static const auto all =
        Fields<GracefulShutdown>()
            .required("service", &GracefulShutdown::service, "The service that is told to stop.")
            .required("within", &GracefulShutdown::within,
                      "It has exited so long after the signal: its grace period.")
            .optional("exit_code", &GracefulShutdown::exit_code, "The code it exits with.")
            .optional("probe", &GracefulShutdown::probe, "The health name that says NOT_SERVING first.");
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::service, service.text, "service"}};
  }
  Duration needs() const override { return within + 50ms; }
  bool settles() const override { return true; }
  std::vector<Wish> wishes() const override {
    return {HealthWish{service, probe == Probe::server ? "" : std::string(to_text(probe))}};
  }

  CheckResult evaluate(const Question& question) const override {
    Shutdown shutdown(question);
    CheckResult& result = shutdown.result;
    result.expected =
        "NOT_SERVING, then GOAWAY on every connection, accepted calls finish, nothing new is "
        "accepted, exit with code " +
        std::to_string(exit_code) + " within " + to_text(within) + " of the signal";
    const auto life = life_at(service, question.window.begin, question.window.end, question.history);
    if (!life) return inconclusive(result, "no process of " + service.text + " ran when the window began");
    shutdown.begin = begin_of(*life, question);
    shutdown.exited = life->exited && !life->in_teardown ? life->exited : std::nullopt;
    shutdown.connections = inbound_connections(service, question.history);
    result.samples = 1;

    judge_health(shutdown);
    judge_goaways(shutdown);
    judge_calls(shutdown);
    judge_new_connections(shutdown);
    judge_exit(*life, shutdown);

    result.actual = sentence(shutdown.wrong.empty() ? shutdown.seen : shutdown.wrong);
    if (!shutdown.wrong.empty()) {
      result.verdict = Verdict::failed;
      return result;
    }
    if (!shutdown.unknown.empty()) return inconclusive(result, sentence(shutdown.unknown));
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  struct Shutdown {
    explicit Shutdown(const Question& asked) : question(asked) {}
    const Question& question;
    Instant begin;
    std::optional<Instant> exited;
    std::vector<InboundConnection> connections;
    CheckResult result;
    std::vector<std::string> seen, wrong, unknown;

    bool alive_at_begin(const InboundConnection& connection) const {
      return connection.accepted < begin && !connection.refused &&
             (!connection.ended || *connection.ended >= begin);
    }
    Instant end() const { return exited.value_or(question.window.end); }
    std::string after(Instant t) const { return brief(t - begin) + " after the signal"; }
  };

  /// The signal, where one was recorded; else the window's begin.
  static Instant begin_of(const history::ProcessLife& life, const Question& question) {
    std::optional<Instant> sent;
    history::each<history::SignalSent>(question.history, [&](const auto& event, const auto& signal) {
      if (!sent && signal.service == life.service && signal.pid == life.pid &&
          question.window.contains(event.at))
        sent = event.at;
    });
    return sent.value_or(question.window.begin);
  }

  void judge_health(Shutdown& shutdown) const {
    const auto& history = shutdown.question.history;
    const std::string name = health_name(probe, service, history.setup());
    std::vector<const Attempt*> checks;
    for (const auto& edge : history.setup().edges) {
      if (edge.to != service || !edge.control) continue;
      for (const auto* attempt : shutdown.question.calls.attempts_of_all_kinds(edge.id)) {
        if (attempt->method == "grpc.health.v1.Health/Check") checks.push_back(attempt);
      }
    }
    bool asked = false;
    std::optional<Instant> not_serving;
    EventNumber last_answer;
    history::each<history::HealthSeen>(history, [&](const history::Event& event, const auto& seen) {
      if (seen.service != service || seen.name != name || event.at >= shutdown.question.window.end) return;
      asked = true;
      if (event.at < shutdown.begin) return;
      if (!not_serving) last_answer = event.number;
      if (seen.status == history::HealthStatus::not_serving && !not_serving)
        not_serving = answered_on_the_wire(event, seen, checks);
    });
    const InboundConnection* first = nullptr;
    for (const auto& connection : shutdown.connections) {
      if (!connection.first_goaway || *connection.first_goaway < shutdown.begin) continue;
      if (!first || *connection.first_goaway < *first->first_goaway) first = &connection;
    }
    const std::string what = "health `" + name + "`";
    if (!asked) {
      shutdown.unknown.push_back(what + " was never asked");
    } else if (!not_serving) {
      shutdown.wrong.push_back(what + " never said NOT_SERVING");
      show(shutdown.result, last_answer);
    } else if (first && *first->first_goaway < *not_serving) {
      shutdown.wrong.push_back("GOAWAY " + shutdown.after(*first->first_goaway) + ", before NOT_SERVING " +
                               shutdown.after(*not_serving));
      show(shutdown.result, first->first_goaway_event);
      show(shutdown.result, last_answer);
    } else {
      shutdown.seen.push_back("NOT_SERVING " + shutdown.after(*not_serving));
    }
  }

  void judge_goaways(Shutdown& shutdown) const {
    uint64_t due = 0, without = 0;
    std::string first_without;
    for (const auto& connection : shutdown.connections) {
      if (connection.control || connection.calls == 0 || !shutdown.alive_at_begin(connection)) continue;
      // Closed by somebody else before the service had to say anything: not its omission.
      if (!connection.first_goaway && connection.ended && !connection.ended_by_service) continue;
      ++due;
      if (connection.graceful) continue;
      if (++without == 1) {
        first_without = connection.edge.text + " connection " + std::to_string(connection.id.value) +
                        (connection.first_goaway ? " got only GOAWAY " + to_text(connection.code) : "");
      }
      show(shutdown.result,
           connection.first_goaway ? connection.first_goaway_event : connection.accepted_event);
      show(shutdown.result, connection.ended_event);
    }
    if (without > 0) {
      shutdown.wrong.push_back(std::to_string(without) + " of " + counted(due, "connection") +
                               " without GOAWAY NO_ERROR, first " + first_without);
    } else {
      shutdown.seen.push_back(due == 0 ? "no connection with calls was open"
                                       : "GOAWAY on " + counted(due, "connection"));
    }
  }

  void judge_calls(Shutdown& shutdown) const {
    uint64_t accepted = 0, in_flight = 0, unfinished = 0;
    std::string first;
    for (const auto& connection : shutdown.connections) {
      if (connection.control || connection.calls == 0) continue;
      for (const auto* attempt : shutdown.question.calls.attempts(connection.edge)) {
        if (attempt->connection != connection.id || !attempt->forwarded) continue;
        if (*attempt->forwarded >= shutdown.end() || attempt->stream > connection.last_stream) continue;
        if (attempt->end && attempt->end->received < shutdown.begin) continue;
        ++accepted;
        if (*attempt->forwarded < shutdown.begin) ++in_flight;
        const std::string fate = fate_of(*attempt, connection, shutdown);
        if (fate.empty()) continue;
        if (++unfinished == 1) first = name_of(*attempt) + " " + fate;
        show(shutdown.result, attempt->event);
        if (attempt->end) show(shutdown.result, attempt->end->event);
      }
    }
    shutdown.result.samples += accepted;
    if (unfinished > 0) {
      shutdown.wrong.push_back(std::to_string(unfinished) + " of " + counted(accepted, "accepted call") +
                               " not finished, first: " + first);
    } else {
      shutdown.seen.push_back(counted(accepted, "accepted call") + " finished, " + std::to_string(in_flight) +
                              " of them in flight at the signal");
    }
  }

  /// How the service failed an accepted call; empty when it did not.
  std::string fate_of(const Attempt& attempt, const InboundConnection& connection,
                      const Shutdown& shutdown) const {
    if (!attempt.end) {
      if (shutdown.exited) return "had no answer when the process was gone";
      return shutdown.question.window.end >= shutdown.begin + within ? "is still open" : "";
    }
    switch (attempt.end->how) {
      case Ending::trailers: {
        const auto& ended =
            std::get<faults::CallEnded>(shutdown.question.history.event(attempt.end->event).what);
        return ended.message == cut_by_ccore ? "was cut with \"" + ended.message + "\"" : "";
      }
      case Ending::reset_by_upstream:
        if (attempt.outcome() == StatusCode::deadline_exceeded) return "";
        return "was reset with " + to_text(attempt.end->reset.value_or(Http2Error::cancel));
      case Ending::connection_lost:
        if (connection.ended && !connection.ended_by_service) return "";
        return "lost its connection";
      case Ending::reset_by_downstream:
      case Ending::ended_by_fault:
      case Ending::refused_while_held:
      case Ending::refused_by_goaway:
        return "";
    }
    return "";
  }

  void judge_new_connections(Shutdown& shutdown) const {
    std::optional<Instant> told_all;
    for (const auto& connection : shutdown.connections) {
      if (connection.control || connection.calls == 0 || !shutdown.alive_at_begin(connection)) continue;
      if (!connection.first_goaway && connection.ended && !connection.ended_by_service) continue;
      if (!connection.first_goaway) return;  // told of by judge_goaways; no moment to count from
      told_all = std::max(told_all.value_or(*connection.first_goaway), *connection.first_goaway);
    }
    if (!told_all) return;
    uint64_t late = 0;
    std::string first;
    for (const auto& connection : shutdown.connections) {
      if (connection.control || connection.accepted <= *told_all + listener_slack) continue;
      if (connection.accepted >= shutdown.end()) continue;
      for (const auto* attempt : shutdown.question.calls.attempts(connection.edge)) {
        const bool answered = attempt->connection == connection.id && attempt->end &&
                              attempt->end->how == Ending::trailers &&
                              attempt->end->received < shutdown.end();
        if (!answered) continue;
        if (++late == 1) {
          first = connection.edge.text + " connection " + std::to_string(connection.id.value) + " " +
                  shutdown.after(connection.accepted);
        }
        show(shutdown.result, connection.accepted_event);
        show(shutdown.result, attempt->end->event);
        break;
      }
    }
    if (late > 0)
      shutdown.wrong.push_back(counted(late, "new connection") +
                               " accepted and answered after GOAWAY, first " + first);
  }

  void judge_exit(const history::ProcessLife& life, Shutdown& shutdown) const {
    if (!shutdown.exited) {
      if (shutdown.question.window.end < shutdown.begin + within) {
        shutdown.unknown.push_back("the window closed before " + to_text(within) + " were over");
      } else {
        shutdown.wrong.push_back("still running " + to_text(within) + " after the signal");
        show(shutdown.result, life.started_event);
      }
      return;
    }
    const std::string how = how_it_ended(life) + " " + shutdown.after(*shutdown.exited);
    const bool right = *shutdown.exited <= shutdown.begin + within && life.code == exit_code;
    (right ? shutdown.seen : shutdown.wrong).push_back(how);
    if (!right) show(shutdown.result, life.exited_event);
  }
};

}  // namespace

CheckKind graceful_shutdown_kind() {
  return make_kind<GracefulShutdown>({
      .name = "graceful_shutdown",
      .summary = "After SIGTERM: NOT_SERVING, then GOAWAY, accepted calls finish, nothing new is accepted, "
                 "exit in time.",
      .details =
          "Counts from the signal in the window (else from the window's begin) and judges, each by name in "
          "what it reports:\n"
          "1. The health name `probe` answered NOT_SERVING before the service's first GOAWAY on any "
          "connection, breakwire's own included. Health is polled every 50 ms on a connection whose relay "
          "also orders the GOAWAYs: a service that flips its health and drains in the same instant tells "
          "nobody.\n"
          "2. Every connection that was open at the signal and had carried calls gets at least one GOAWAY "
          "with NO_ERROR; one or two are fine. Connections that somebody else closed first are exempt.\n"
          "3. Every accepted call (its HEADERS were forwarded, its stream id is not above the last id that "
          "the service gave) ends with trailers. A lost connection, a reset, or C-core's \"Cancelling all "
          "calls\" is a failure; the caller's own reset or deadline, a fault's doing and refused streams "
          "are not.\n"
          "4. No connection that arrives 100 ms or more after every such connection has had its GOAWAY is "
          "accepted and answered.\n"
          "5. The process exits with `exit_code` within `within`.\n"
          "That calls were in flight at all is what `must_fire: {\"in_flight\": n}` of the signal "
          "guards.\n\n"
          "Sources: RFC 9113 §6.8; gRFC A9; kubernetes pod-lifecycle; measured with C++ gRPC 1.51.1.",
      .example =
          R"({ "check": "graceful_shutdown", "service": "orders", "after": "term", "within": "3s", "exit_code": 0 })",
  });
}

}  // namespace breakwire::checks
