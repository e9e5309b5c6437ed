#include "tests/faults/survival/random_faults.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "faults/kinds/match_fields.h"

namespace breakwire::relay::testing {
namespace {

/// What a kind may be armed with. One that is not named here is armed as in the example of its documentation.
const std::map<std::string, std::vector<std::string>>& parameters() {
  static const std::map<std::string, std::vector<std::string>> all{
      {"latency", {R"({"delay":"3ms"})", R"({"delay":"20ms","jitter":"20ms"})"}},
      {"bandwidth", {R"({"rate":"100kB/s"})", R"({"rate":"5MB/s"})"}},
      {"half_open", {R"({"direction":"request"})", R"({"direction":"response"})"}},
      {"accept_hang", {"{}", R"({"then":"close"})"}},
      {"close", {"{}", R"({"delay":"5ms"})", R"({"bytes":"500B"})"}},
      {"truncate",
       {R"({"bytes":"50B"})", R"({"bytes":"1000B","then":"close"})", R"({"bytes":"200B","then":"reset"})"}},
      {"slice", {R"({"size":"7B","gap":"1ms"})", R"({"size":"100B","gap":"1ms"})"}},
      {"corrupt",
       {R"({"layer":"payload","skip":"20B","every":"100B"})",
        R"({"layer":"field_block","skip":"3B","bits":[0,7]})",
        R"({"layer":"frame_header","every":"9B","bits":[2]})", R"({"layer":"bytes","skip":"60B"})"}},
      {"grpc_status", {R"({"code":"UNAVAILABLE"})", R"({"code":"ABORTED","message":"no","forward":true})"}},
      {"grpc_delay", {R"({"delay":"5ms","jitter":"5ms"})"}},
      {"lose_response", {"{}", R"({"then":"reset"})", R"({"then":"hang"})"}},
      {"rst_stream",
       {R"({"code":"REFUSED_STREAM"})", R"({"code":"INTERNAL_ERROR"})", R"({"code":"CANCEL"})"}},
      {"goaway",
       {"{}", R"({"last":"forwarded","then":"close"})", R"({"then":"stay"})",
        R"({"code":"ENHANCE_YOUR_CALM","debug":"too_many_pings","last":"forwarded"})"}},
      {"drop_connection", {"{}", R"({"by":"close"})"}},
      {"http_status", {"{}", R"({"status":503,"body":""})", R"({"status":200})"}},
      {"missing_trailers", {"{}", R"({"end_stream_on":"headers"})"}},
      {"truncate_message", {R"({"bytes":"8B"})", R"({"bytes":"3B"})"}},
      {"metadata",
       {R"({"set":{"x-set":"1"},"remove":["user-agent"]})", R"({"rewrite":{"content-type":"text/html"}})"}},
      {"mute_ping", {"{}", R"({"mute":"acks","late":true})"}},
      {"freeze_window", {"{}", R"({"windows":"connection"})", R"({"windows":"streams"})"}},
      {"settings",
       {R"({"max_concurrent_streams":0})", R"({"max_concurrent_streams":1})",
        R"({"initial_window_size":"0B"})", R"({"of":"caller","initial_window_size":"100B"})",
        R"({"header_table_size":"0B","max_frame_size":"16384B"})",
        R"({"of":"caller","header_table_size":"100B","max_header_list_size":"200B"})"}},
      {"stream_bandwidth", {R"({"rate":"20kB/s"})", R"({"rate":"1MB/s"})"}},
  };
  return all;
}

std::string one_of(const std::vector<std::string>& choices, Rng& rng) {
  return choices[rng.next() % choices.size()];
}

json::Value parsed(const std::string& text) { return *json::parse(text, "drawn.json"); }

json::Value parameters_for(const faults::FaultKind& kind, Rng& rng) {
  if (const auto own = parameters().find(kind.name); own != parameters().end()) {
    return parsed(one_of(own->second, rng));
  }
  const auto example = parsed(kind.example);
  const auto* with = example.find("with");
  return with ? *with : parsed("{}");
}

std::string match_for(const faults::FaultKind& kind, Rng& rng) {
  const auto takes = [&](const char* key) {
    return std::find(kind.matches_by.begin(), kind.matches_by.end(), key) != kind.matches_by.end();
  };
  std::vector<std::string> members;
  if (takes("connections"))
    members.push_back(R"("connections":)" + one_of({R"("existing")", R"("new")", R"("all")"}, rng));
  const bool one_way = kind.name != "close";  // of which only `bytes` have a direction
  if (takes("direction") && one_way && rng.next() % 2 == 0) {
    members.push_back(R"("direction":)" + one_of({R"("request")", R"("response")"}, rng));
  }
  if (takes("calls") && rng.next() % 4 != 0) {
    members.push_back(R"("calls":)" +
                      one_of({R"({"first":3})", R"({"every":2})", R"({"percent":"30%"})"}, rng));
  }
  std::string all;
  for (const auto& member : members) all += (all.empty() ? "" : ",") + member;
  return "{" + all + "}";
}

[[noreturn]] void refuse(const std::string& kind, const ErrorList& errors) {
  throw std::logic_error("a drawn `" + kind + "` is wrong: " + render(errors));
}

}  // namespace

std::vector<std::string> wire_kinds() {
  std::vector<std::string> names;
  for (const auto& kind : faults::fault_kinds()) {
    if (kind.fault_class != faults::FaultClass::process) names.push_back(kind.name);
  }
  return names;
}

faults::WireFaultInstance draw_fault(const std::string& name, size_t order, Rng& rng) {
  const auto& kind = *faults::find_fault_kind(name);
  ErrorList errors;
  const auto decision = kind.make(parameters_for(kind, rng), errors);
  auto match = faults::read_match(kind, parsed(match_for(kind, rng)), errors);
  if (!decision || !match) refuse(name, errors);
  if (!kind.stages.empty()) match->stage = kind.stages[rng.next() % kind.stages.size()];
  return {.id = {name + "-" + std::to_string(order)},
          .kind = name,
          .match = std::move(*match),
          .seed = rng.next(),
          .order = order,
          .fault = std::get<std::shared_ptr<const faults::WireFault>>(*decision)};
}

Troublemaker::Troublemaker(Network& network, std::vector<EdgeId> edges, Options options)
    : network_(network),
      edges_(std::move(edges)),
      options_(std::move(options)),
      rng_(options_.seed),
      thread_([this] { work(); }) {}

Troublemaker::~Troublemaker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
}

std::map<std::string, size_t> Troublemaker::armed() const {
  const std::lock_guard lock(mutex_);
  return armed_;
}

void Troublemaker::work() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    change();
    const std::chrono::microseconds longest = options_.longest_pause;
    const std::chrono::microseconds pause(rng_.next() % static_cast<uint64_t>(longest.count()));
    lock.lock();
    stopping_.wait_for(lock, pause, [this] { return stop_; });
  }
  active_.clear();
}

void Troublemaker::change() {
  const bool clear = active_.size() >= options_.at_once || (!active_.empty() && rng_.next() % 3 == 0);
  if (clear) {
    active_.erase(active_.begin() + static_cast<ptrdiff_t>(rng_.next() % active_.size()));
    return;
  }
  if (still_to_come_.empty()) still_to_come_ = options_.kinds;
  const auto drawn = still_to_come_.begin() + static_cast<ptrdiff_t>(rng_.next() % still_to_come_.size());
  const std::string kind = *drawn;
  still_to_come_.erase(drawn);
  const EdgeId& edge = edges_[rng_.next() % edges_.size()];
  active_.push_back(network_.arm(edge, draw_fault(kind, ++order_, rng_)));
  const std::lock_guard lock(mutex_);
  ++armed_[kind];
}

}  // namespace breakwire::relay::testing
