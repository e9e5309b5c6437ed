// command: whatever else breaks things.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Command : public ProcessFault {
 public:
  std::vector<std::string> run;

  static const Fields<Command>& fields() {
    static const auto all =
        Fields<Command>()
            .required("run", &Command::run,
                      "The program and its arguments; `${bin}`, `${env.X}` and every edge may be named.")
            .rule([](const Command& command, const json::Value& object, ErrorList& errors) {
              if (!command.run.empty() && !command.run.front().empty()) return;
              const json::Value* given = object.find("run");
              errors.push_back(json::error_at(given ? given->span : object.span, "`run` names no program",
                                              "such as [\"./break.sh\", \"${orders->db.url}\"]"));
            });
    return all;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessCleared>(event)) return EndCommand{};
    return RunCommand{run};
  }
};

}  // namespace

FaultKind command_kind() {
  return make_kind<Command>({
      .name = "command",
      .summary = "A program of the user's breaks something: SQL that holds a lock, a full disk, anything.",
      .details =
          "What happens: the program is started when the fault begins. It is a child of breakwire's guard, "
          "runs where breakwire was started and with its environment, with nothing on its standard input; "
          "what it prints goes to logs/ in the report folder. It may end by itself with code 0 before the "
          "fault does, when what it broke stays broken. `on` is the service it is meant for; it is not "
          "touched.\n\n"
          "Peers see: whatever the program does to them. What it sends over an edge goes through the relay "
          "like anybody's traffic, and is what other faults on that edge act on too; calls it makes are "
          "counted with the others.\n\n"
          "When it ends: SIGTERM to it and all it started, and 2 s later SIGKILL. Nothing else is undone. A "
          "lock is released when its session ends: PostgreSQL notices a client that is gone at once when the "
          "session waits for its next command, as in the example, and late while a query runs "
          "(client_connection_check_interval).\n\n"
          "A program that cannot be started, that exits with another code than 0 before it is told to end, "
          "or is ended by somebody else's signal, has broken nothing for certain: the fault has not fired, "
          "and the verdict is inconclusive; its last lines are in the reason.\n\n"
          "Sources: signal(7); PostgreSQL, \"Explicit Locking\" and \"Connection Settings\".",
      .example =
          R"({ "id": "lock", "at": "1s", "for": "2s", "on": "db", "fault": "command", "with": { "run": ["sh", "-c", "(echo 'BEGIN; LOCK TABLE stock;'; sleep 60) | psql -q '${inventory->db.url}'"] } })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
