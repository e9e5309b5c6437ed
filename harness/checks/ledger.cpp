// ledger: what was acknowledged exists exactly once, what was refused does not.
#include <algorithm>
#include <map>

#include "harness/checks/effect.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using LoadCall = history::Calls::LoadCall;

/// All that was asked about one key, and what there is of it.
struct Effected {
  Effect effect = Effect::never;
  const LoadCall* call = nullptr;  // the one that decides
  size_t calls = 0;
  bool judged = false;  // one of its calls was issued in the window
  uint64_t count = 0;
};

/// Which attempts on the wire belong to which call of a load.
class Wire {
 public:
  explicit Wire(const Question& question) {
    std::map<std::string, const LoadCall*> by_id;
    for (const LoadCall& call : question.calls.load_calls()) {
      if (!call.issued->call_id.empty()) by_id[call.issued->call_id] = &call;
      if (!call.issued->trace_id.empty()) by_id[call.issued->trace_id] = &call;
    }
    const auto owner_of = [&](const history::Attempt& attempt) -> const LoadCall* {
      for (const std::string* id : {&attempt.call_id, &attempt.trace_id}) {
        if (const auto found = by_id.find(*id); found != by_id.end()) return found->second;
      }
      return nullptr;
    };
    for (const auto& edge : question.history.setup().edges) {
      if (edge.control || !edge.grpc) continue;
      for (const auto* attempt : question.calls.attempts(edge.id)) {
        const LoadCall* owner = owner_of(*attempt);
        owner ? attempts_[owner].push_back(attempt) : strangers_.push_back(attempt);
      }
    }
  }

  /// One attempt on each edge it was seen on, and nothing on the wire meanwhile that could be another one.
  bool went_out_once(const LoadCall& call) const {
    const auto found = attempts_.find(&call);
    if (found == attempts_.end()) return false;
    std::map<std::pair<EdgeId, std::string>, int> seen;
    for (const auto* attempt : found->second) {
      if (++seen[{attempt->edge, attempt->method}] > 1) return false;
    }
    return std::none_of(strangers_.begin(), strangers_.end(), [&](const auto* attempt) {
      return call.issued_at <= attempt->received && (!call.done || attempt->received <= call.done_at);
    });
  }

  /// A fault answered or reset one of its attempts in the service's place, and that is this very code.
  bool made_up(const LoadCall& call, StatusCode code) const {
    const auto found = attempts_.find(&call);
    if (found == attempts_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const auto* attempt) {
      return attempt->end && attempt->end->how == faults::Ending::ended_by_fault &&
             attempt->outcome() == code;
    });
  }

 private:
  std::map<const LoadCall*, std::vector<const history::Attempt*>> attempts_;
  std::vector<const history::Attempt*> strangers_;
};

/// Counts of one way to be wrong, and the first example.
struct Wrong {
  uint64_t count = 0;
  std::string first;
  void add(const std::string& example) {
    if (++count == 1) first = example;
  }
};

class Ledger : public Check {
 public:
  LoadId load;
  std::string key;
  ServiceId database;
  std::string query;
  std::vector<StatusCode> definite;
  uint64_t indeterminate_at_least = 0;
  bool surplus = false;

  static const Fields<Ledger>& fields() {
    static const auto all =
        Fields<Ledger>()
            .required("load", &Ledger::load, "The load whose calls are to have the effects.")
            .required("key", &Ledger::key,
                      "The top-level field of its requests that names the effect: \"order_id\".")
            .required("database", &Ledger::database, "The PostgreSQL service in which the effects are.")
            .required(
                "query", &Ledger::query,
                "SQL that answers rows of two columns: a key, and how many effects it has there. Counts of "
                "several rows with the same key add up.")
            .optional("definite", &Ledger::definite,
                      "Further codes with which this service promises that nothing was done.")
            .optional(
                "indeterminate_at_least", &Ledger::indeterminate_at_least,
                "With fewer keys of unknown outcome the check is inconclusive: what was to hit the calls "
                "midway did not.")
            .optional("surplus", &Ledger::surplus,
                      "Whether there may be keys that no call asked for: others write to this ledger too.")
            .rule([](const Ledger& check, const json::Value& object, ErrorList& errors) {
              if (std::find(check.definite.begin(), check.definite.end(), StatusCode::ok) !=
                  check.definite.end())
                errors.push_back(
                    json::error_at(object.span, "`definite` lists failures, and OK is none", "leave it out"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::load, load.text, "load"}, {Reference::To::service, database.text, "database"}};
  }
  std::vector<Wish> wishes() const override { return {LedgerWish{database, query}, FieldWish{key}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "each `" + key + "` that " + load.text + " had acknowledged exists once in " +
                      database.text + ", none that was refused does" +
                      (surplus ? "" : ", and no other is there");
    const history::LedgerRead* read = nullptr;
    const history::Event* read_event = nullptr;
    history::each<history::LedgerRead>(question.history, [&](const auto& event, const auto& ledger) {
      if (ledger.check != question.name) return;
      read = &ledger;
      read_event = &event;
    });
    if (!read) return inconclusive(result, "the ledger was not read: the run ended before it could be");
    if (!read->error.empty()) {
      show(result, read_event->number);
      return inconclusive(result, "the ledger could not be read: " + read->error);
    }
    auto keys = asked_for(question, read_event->at);
    if (calls_in(load, question).empty())
      return inconclusive(result, "no call of " + load.text + " was issued in the window");
    if (std::none_of(keys.begin(), keys.end(), [](const auto& entry) { return entry.second.judged; }))
      return inconclusive(result, "no request of " + load.text + " has a top-level field `" + key + "`");
    return compare(keys, *read, read_event->number, question, std::move(result));
  }

 private:
  /// By key. Calls of other loads are known, so that their keys are no surplus, and not judged. They may want
  /// something else of the same key, so what they were told acknowledges nothing, and only takes a refusal's
  /// certainty.
  std::map<std::string, Effected> asked_for(const Question& question, Instant read_at) const {
    const Wire wire(question);
    std::map<std::string, Effected> keys;
    for (const LoadCall& call : question.calls.load_calls()) {
      for (const auto& field : call.issued->fields) {
        if (field.name != key) continue;
        Effected& one = keys[field.value];
        Effect effect = effect_of(call, wire, read_at);
        if (call.issued->load != load && effect == Effect::happened) effect = Effect::uncertain;
        ++one.calls;
        one.judged |= call.issued->load == load && question.window.contains(call.issued_at);
        // One acknowledgement is enough to be held to it; a refusal counts when nothing speaks against it.
        if (!one.call || effect == Effect::happened ||
            (effect == Effect::uncertain && one.effect == Effect::never)) {
          one.effect = effect;
          one.call = &call;
        }
      }
    }
    for (auto& [text, one] : keys) {
      // The same key again: what already exists may be another call's.
      if (one.calls > 1 && one.effect == Effect::never && one.call->done &&
          one.call->done->status == StatusCode::already_exists)
        one.effect = Effect::uncertain;
    }
    return keys;
  }

  Effect effect_of(const LoadCall& call, const Wire& wire, Instant read_at) const {
    if (!call.done || call.done_at > read_at) return Effect::uncertain;
    const StatusCode code = call.done->status;
    if (wire.made_up(call, code)) return Effect::uncertain;
    const bool once = code == StatusCode::already_exists && wire.went_out_once(call);
    return checks::effect_of(code, once, {definite.begin(), definite.end()});
  }

  /// Loads that are the user's own clients: their requests are not known.
  static std::string commands_of(const history::Setup& setup) {
    std::string commands;
    for (const auto& each : setup.loads) {
      if (each.command()) commands += (commands.empty() ? "" : " or ") + each.id.text;
    }
    return commands;
  }

  CheckResult compare(std::map<std::string, Effected>& keys, const history::LedgerRead& read,
                      EventNumber read_event, const Question& question, CheckResult result) const {
    Wrong missing, twice, ghosts, strays;
    std::map<std::string, uint64_t> unasked;
    for (const auto& row : read.rows) {
      const auto found = keys.find(row.key);
      (found == keys.end() ? unasked[row.key] : found->second.count) += row.count;
    }
    uint64_t acknowledged = 0, refused = 0, indeterminate = 0, exist = 0;
    const auto told = [&](const std::string& text, const Effected& one) {
      const LoadCall& call = *one.call;
      return name_of(call) + " (" + key + " " + text + ", " +
             (call.done ? std::string(to_text(call.done->status)) + " at " + moment(call.done_at, question)
                        : "issued at " + moment(call.issued_at, question)) +
             ")";
    };
    for (const auto& [text, one] : keys) {
      if (!one.judged) continue;
      const auto wrong = [&, &whose = text, &of = one](Wrong& how, const std::string& note = "") {
        how.add(told(whose, of) + note);
        show(result, of.call->done ? of.call->done_event : of.call->issued_event);
      };
      if (one.count > 1) wrong(twice, ": " + std::to_string(one.count) + " times");
      switch (one.effect) {
        case Effect::happened:
          ++acknowledged;
          if (one.count == 0) wrong(missing);
          break;
        case Effect::never:
          ++refused;
          if (one.count > 0) wrong(ghosts);
          break;
        case Effect::uncertain:
          ++indeterminate;
          exist += one.count > 0 ? 1 : 0;
          break;
      }
    }
    if (!surplus) {
      for (const auto& [text, count] : unasked) {
        if (count > 0) strays.add(text);
      }
    }
    result.samples = acknowledged + refused;
    result.actual = std::to_string(acknowledged) + " acknowledged, " + std::to_string(missing.count) +
                    " missing, " + std::to_string(twice.count) + " more than once; " +
                    std::to_string(refused) + " refused, " + counted(ghosts.count, "ghost") + "; " +
                    std::to_string(indeterminate) + " indeterminate, " + std::to_string(exist) +
                    " of them there";
    const std::string commands = commands_of(question.history.setup());
    const bool may_be_theirs = strays.count > 0 && !commands.empty();
    if (strays.count > 0) {
      result.actual +=
          "; " + counted(strays.count, "key") +
          (may_be_theirs ? " that only " + commands + " can have asked for" : " nobody asked for");
    }
    const std::pair<const char*, const Wrong*> all[] = {{"missing", &missing},
                                                        {"more than once", &twice},
                                                        {"ghost", &ghosts},
                                                        {"that nobody asked for", &strays}};
    bool red = false;
    for (const auto& [what, how] : all) {
      if (how->count == 0 || (how == &strays && may_be_theirs)) continue;
      red = true;
      result.actual += "; first " + std::string(what) + ": " + how->first;
    }
    if (red) {
      show(result, read_event);
      return failed(std::move(result));
    }
    if (may_be_theirs) {
      return inconclusive(std::move(result),
                          "what " + commands + " asked for is not known: with `surplus` it need not be");
    }
    if (indeterminate < indeterminate_at_least) {
      return inconclusive(std::move(result), "only " + std::to_string(indeterminate) +
                                                 " of unknown outcome, at least " +
                                                 std::to_string(indeterminate_at_least) +
                                                 " needed: nothing shows that calls were hit midway");
    }
    result.verdict = Verdict::passed;
    return result;
  }
};

}  // namespace

CheckKind ledger_kind() {
  return make_kind<Ledger>({
      .name = "ledger",
      .summary = "Every acknowledged effect exists exactly once; one that was definitely refused does not.",
      .details =
          "Compares what the load was told with what the database holds. Each key is one effect. It is "
          "acknowledged when a call of the load for it ended OK, and must then exist exactly once. It is "
          "refused when every call of any load for it ended with a code that says nothing was done: "
          "INVALID_ARGUMENT, NOT_FOUND, "
          "PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, UNAUTHENTICATED, those in "
          "`definite`, and ALREADY_EXISTS when the key had one call and that went out exactly once (one "
          "attempt "
          "on every edge, no call on any edge meanwhile that carries neither its call id nor its trace id: "
          "after a repetition ALREADY_EXISTS may mean \"by your own first attempt\"). It must then not "
          "exist. "
          "Any other code, and a call that had not ended when the ledger was read, leaves it indeterminate: "
          "it "
          "may exist or not, but not twice. A code with which a fault answered in the service's place, or "
          "that "
          "a client makes of its reset (ENHANCE_YOUR_CALM, INADEQUATE_SECURITY), is nobody's word and "
          "indeterminate too.\n\n"
          "Red are keys that are missing, there more than once, ghosts (refused and there), and keys that no "
          "call of any load asked for (not with `surplus`; rows that the schema brings along are the query's "
          "to leave out). What a load that is a command asks for is not known: beside one, keys that no "
          "other "
          "load asked for are inconclusive. "
          "A window selects keys by when their calls were issued; the ledger is always that of the run's "
          "end: "
          "it is read once, when the loads are over and everything has settled, before anything is stopped, "
          "read-only, on the database's own Unix socket, past every relay, so that no fault on an edge is in "
          "the "
          "way. A database that does not answer then within 5 s makes the check inconclusive. The samples "
          "are "
          "the keys acknowledged or refused. A client that repeats a call with the same key shows with it "
          "that "
          "the service is idempotent. What a SIGKILL cannot show: data that was written and not flushed to "
          "disk "
          "survives the death of a process.\n\n"
          "Sources: grpc/grpc doc/statuscodes.md; gRFC A6 (which failures may be retried).",
      .example = R"x({ "check": "ledger", "load": "shoppers", "key": "order_id", "database": "db",
  "query": "select order_id, count(*) from orders group by order_id" })x",
  });
}

}  // namespace breakwire::checks
