// limit: descriptors or memory run out.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Limit : public ProcessFault {
 public:
  std::optional<uint64_t> descriptors;
  std::optional<ByteSize> address_space;

  static const Fields<Limit>& fields() {
    static const auto all =
        Fields<Limit>()
            .optional("descriptors", &Limit::descriptors,
                      "RLIMIT_NOFILE: open files and sockets; those it has above it stay open.")
            .optional(
                "address_space", &Limit::address_space,
                "RLIMIT_AS: virtual memory, far more than what is resident; what it has above it stays.")
            .rule([](const Limit& limit, const json::Value& object, ErrorList& errors) {
              if (limit.descriptors || limit.address_space) return;
              errors.push_back(json::error_at(object.span, "`limit` limits nothing",
                                              "give `descriptors` or `address_space`"));
            });
    return all;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessCleared>(event)) return RestoreLimits{};
    SetLimits limits{.descriptors = descriptors};
    if (address_space) limits.address_space = address_space->bytes;
    return limits;
  }
};

}  // namespace

FaultKind limit_kind() {
  return make_kind<Limit>({
      .name = "limit",
      .summary = "The service may open no more descriptors, or get no more memory, than this.",
      .details =
          "What happens: prlimit(2) lowers the soft limits of the service's own process while it runs; what "
          "it starts from then on inherits them (a database's new backends do), what it has started does "
          "not. With 0 to few `descriptors`, accept(2), socket(2) and open(2) fail with EMFILE; at its "
          "`address_space`, mmap(2) fails with ENOMEM, new threads cannot be started, and C++ throws "
          "std::bad_alloc. A process that is started again meanwhile gets the limits too, right after its "
          "start. Of several such faults the tightest limit holds.\n\n"
          "Peers see: out of descriptors, connections that are established by the kernel, wait in the accept "
          "backlog and are not answered, while those that exist work on; a listener that spins on EMFILE "
          "eats a CPU. Out of memory, failed calls, or the end of the process, which nothing excuses.\n\n"
          "When it ends: the soft limits are what they were before. What failed meanwhile is the service's "
          "to try again.\n\n"
          "A limit that is not below the one it has anyway, or a service that does not run, leaves nothing "
          "to act on: inconclusive.\n\n"
          "Sources: getrlimit(2), prlimit(2); accept(2), EMFILE.",
      .example =
          R"({ "id": "no-more-files", "at": "1s", "for": "2s", "on": "orders", "fault": "limit", "with": { "descriptors": 16 } })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
