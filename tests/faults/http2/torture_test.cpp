// Many calls, random chunk sizes, every ruling at every stage, cancelled and reset calls: neither of the two
// libnghttp2 endpoints may ever find fault with what it gets, and calls that no fault concerns must get
// exactly their bytes.
#include <gtest/gtest.h>

#include <cstdlib>

#include "faults/http2/grpc_fields.h"
#include "tests/faults/http2/world.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

constexpr std::array stages{Stage::headers,          Stage::request_message,  Stage::request_end,
                            Stage::response_headers, Stage::response_message, Stage::response_end};

struct Plan {
  enum class Fault { none, hold, end, reset, withhold, withhold_hold, delay, page, drop, cut, edit, pace };
  Fault fault = Fault::none;
  Stage stage = Stage::headers;
  uint64_t message = 0;
  std::string body;
  bool client_cancels = false;
  bool server_resets = false;
  bool trailers_only = false;
  bool early = false;  // the server answers at HEADERS
  bool reached_server = false;
};

class Torture {
 public:
  explicit Torture(uint64_t seed) : rng_(seed), world_(options(seed)), shrinks_(shrinks(seed)) {
    for (const auto& entry : options(seed).server.settings) {
      limits_streams_ |= entry.settings_id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS;
    }
    world_.host.rule = [this](const faults::CallReached& reached) { return rule(reached); };
    if (controls_) {
      world_.host.control_rule = [this](const faults::ControlReached& reached) { return rule(reached); };
    }
    world_.server.on_headers = [this](int32_t id) { answer(id, true); };
    world_.server.on_request = [this](int32_t id) { answer(id, false); };
  }

  void run() {
    // A client may open more streams than a limit it has not heard of yet.
    if (pick(2) == 0 || limits_streams_) world_.run();
    for (int round = 0; round < 12; ++round) {
      const size_t calls = pick(6);
      for (size_t i = 0; i < calls; ++i) start();
      const size_t steps = pick(30);
      for (size_t i = 0; i < steps; ++i) world_.step(pick(2) == 0 ? Side::downstream : Side::upstream);
      if (pick(3) == 0) cancel_one();
      if (pick(4) == 0) world_.client.ping(round);
      if (pick(4) == 0) world_.server.ping(round);
      if (pick(4) == 0) change_settings();
      if (drains_ && !draining_ && pick(8) == 0) drain();
      if (controls_ && pick(4) == 0) edit();
      if (controls_ && pick(4) == 0) clear("edit" + std::to_string(pick(2)));
      if (pick(3) == 0) clear("hang" + std::to_string(pick(3)));
      if (pick(3) == 0) world_.wait(std::chrono::milliseconds(pick(50)));
      if (pick(3) == 0) world_.run();
      ASSERT_EQ(complaints(), std::vector<std::string>{});
    }
    world_.run();
    world_.host.control_rule = {};
    for (int i = 0; i < 30 && (i == 0 || world_.session.live_calls() + waiting() > 0); ++i) {
      for (const char* fault : {"hang0", "hang1", "hang2", "edit0", "edit1"}) clear(fault);
      world_.wait(1s);
    }
    check();
  }

 private:
  /// Whether windows become smaller too.
  static bool shrinks(uint64_t seed) { return seed % 4 == 0; }
  static World::Options options(uint64_t seed) {
    Rng rng(seed + 1'000'000);
    World::Options options{.seed = seed * 2 + 1, .slow_sockets = rng.next() % 4 == 0};
    const uint32_t smallest = shrinks(seed) ? 0 : 65'535;
    const auto settings = [&] {
      std::vector<nghttp2_settings_entry> entries;
      if (rng.next() % 2)
        entries.push_back({NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, smallest + uint32_t(rng.next() % 40'000)});
      if (rng.next() % 2)
        entries.push_back({NGHTTP2_SETTINGS_MAX_FRAME_SIZE, uint32_t(16'384 + rng.next() % 200'000)});
      if (rng.next() % 2)
        entries.push_back({NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, uint32_t(rng.next() % 9'000)});
      return entries;
    };
    options.client.settings = settings();
    options.server.settings = settings();
    if (rng.next() % 2) options.server.settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 4});
    if (rng.next() % 2) options.client.padding = rng.next() % 200;
    if (rng.next() % 2) options.server.padding = rng.next() % 200;
    return options;
  }

  /// nghttp2 resets streams whose DATA is under way while it makes its own window smaller, relay or not.
  std::vector<std::string> complaints() const {
    std::vector<std::string> all;
    for (const auto& complaint : world_.complaints()) {
      if (!shrinks_ || complaint.find("FLOW_CONTROL_ERROR") == std::string::npos) all.push_back(complaint);
    }
    return all;
  }

  uint64_t pick(uint64_t n) { return rng_.next() % n; }

  /// The server's GOAWAY with the last stream that it has seen, or the relay's own.
  void drain() {
    draining_ = true;
    if (controls_ && pick(2) == 0) {
      using Goaway = faults::SendGoaway;
      world_.session.act({"drain"},
                         Goaway{.last = pick(2) == 0 ? Goaway::Last::none_refused : Goaway::Last::forwarded,
                                .then = pick(2) == 0 ? Goaway::Then::drain : Goaway::Then::stay},
                         world_.now);
      world_.deliver();
      return;
    }
    const int32_t last = nghttp2_session_get_last_proc_stream_id(world_.server.native());
    world_.server.goaway(last, NGHTTP2_NO_ERROR);
    world_.collect(Side::upstream);  // before another stream makes it untrue
  }

  void start() {
    if (draining_) return;
    Plan plan;
    if (pick(2) == 0) {
      plan.fault = static_cast<Plan::Fault>(pick(12));
      plan.stage = stages[pick(stages.size())];
      plan.message = pick(2);
    }
    const size_t messages = pick(4);
    for (size_t i = 0; i < messages; ++i) {
      plan.body += grpc_message(std::string(pick(3) == 0 ? pick(150'000) : pick(100), char('a' + i)));
    }
    plan.server_resets = pick(12) == 0;
    plan.trailers_only = pick(8) == 0;
    plan.early = pick(10) == 0;
    const std::string name = std::to_string(plans_.size());
    faults::Metadata more{{"x-call", name}};
    for (uint64_t i = 0; i < pick(5); ++i) {
      more.push_back({"x-" + std::to_string(pick(6)), std::string(pick(60), 'v'), pick(4) == 0});
    }
    const int32_t id =
        world_.client.request(request_fields("s/M" + std::to_string(pick(3)), more), plan.body);
    ids_.push_back(id);
    plans_.push_back(std::move(plan));
  }

  static faults::Ruling effect(faults::WireAction action) {
    return {.effects = {{.by = {"hang0"}, .action = std::move(action)}}};
  }

  faults::Ruling rule(const faults::CallReached& reached) {
    const Plan& plan = plans_[std::stoul(std::string(*faults::value_of(reached.call->metadata, "x-call")))];
    const std::string hang = "hang" + std::to_string(plan.message + (plan.body.size() & 1));
    if (plan.fault == Plan::Fault::withhold || plan.fault == Plan::Fault::withhold_hold) {
      if (reached.stage == Stage::headers) return ruling(faults::WithholdResponse{}, hang);
      if (reached.stage != Stage::response_end) return {};
      if (plan.fault == Plan::Fault::withhold)
        return ruling(faults::EndCall{StatusCode::unavailable, "lost", {}}, hang);
      return ruling(faults::Hold{}, hang);
    }
    if (reached.stage != plan.stage || reached.message != plan.message) {
      if (reached.stage != plan.stage || plan.stage == Stage::request_message ||
          plan.stage == Stage::response_message)
        return {};
    }
    switch (plan.fault) {
      case Plan::Fault::hold:
        return ruling(faults::Hold{}, hang);
      case Plan::Fault::end:
        return ruling(faults::EndCall{StatusCode::aborted, "ended", {{"x-b", "c"}}}, hang);
      case Plan::Fault::reset:
        return ruling(faults::ResetStream{Http2Error::internal_error}, hang);
      case Plan::Fault::delay: {
        faults::Ruling ruled;
        ruled.delay = std::chrono::milliseconds(1 + pick(40));
        ruled.delayed_by = {{"slow"}};
        return ruled;
      }
      case Plan::Fault::page:
        return ruling(faults::AnswerHttp{502, {{"x-b", "c"}}, std::string(plan.body.size() / 2, 'p')}, hang);
      case Plan::Fault::drop:
        if (reached.stage != Stage::response_end) return {};
        return ruling(faults::DropTrailers{}, hang);
      case Plan::Fault::cut:
        if (reached.stage != Stage::request_message && reached.stage != Stage::response_message) return {};
        return ruling(faults::CutMessage{plan.body.size() / 3}, hang);
      case Plan::Fault::edit:
        return effect(faults::EditFields{{"x-1"}, {{"x-edited", "yes"}}, {{"x-2", "other"}}});
      case Plan::Fault::pace:
        return effect(faults::Pace{.bytes = 1 + plan.body.size() / 4, .gap = 10ms});
      default:
        return {};
    }
  }

  /// Control frames are held, delayed and, of PINGs, lost.
  faults::Ruling rule(const faults::ControlReached& reached) {
    const bool ping =
        reached.frame == faults::ControlFrame::ping || reached.frame == faults::ControlFrame::ping_ack;
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
        return ruling(faults::Hold{}, "hang" + std::to_string(pick(3)));
      case 3:
        if (ping) return ruling(faults::Swallow{}, "mute");
        return {};
      case 4: {
        faults::Ruling ruled;
        ruled.delay = std::chrono::milliseconds(1 + pick(40));
        ruled.delayed_by = {{"slow"}};
        ruled.delays = {ruled.delay};
        return ruled;
      }
      default:
        return {};
    }
  }

  /// What one side announces is edited: windows in both directions, frames larger, the table and streams
  /// less.
  void edit() {
    faults::EditSettings edit{.to_caller = pick(2) == 0};
    if (pick(2) == 0) edit.values[4] = static_cast<uint32_t>(pick(200'000));
    if (pick(2) == 0) edit.values[5] = static_cast<uint32_t>(16'384 + pick(200'000));
    if (pick(2) == 0) edit.values[1] = static_cast<uint32_t>(pick(5'000));
    if (pick(2) == 0 && edit.to_caller) edit.values[3] = static_cast<uint32_t>(1 + pick(4));
    world_.session.act({"edit" + std::to_string(pick(2))}, edit, world_.now);
    world_.deliver();
  }

  void answer(int32_t id, bool at_headers) {
    const auto call = faults::value_of(world_.server.streams[id].fields, "x-call");
    ASSERT_TRUE(call.has_value()) << "a header block lost its fields";
    const size_t number = std::stoul(std::string(*call));
    plans_[number].reached_server = true;
    const Plan& plan = plans_[number];
    if (plan.early != at_headers) return;
    const faults::Metadata trailers{{"grpc-status", "0"}, {"x-call", std::to_string(number)}};
    if (plan.server_resets) return world_.server.reset(id, NGHTTP2_INTERNAL_ERROR);
    if (plan.trailers_only) {
      faults::Metadata only = response_fields();
      only.insert(only.end(), trailers.begin(), trailers.end());
      return world_.server.trailers_only(id, only);
    }
    world_.server.respond(id, response_fields(), plan.body, trailers);
  }

  void cancel_one() {
    if (ids_.empty()) return;
    const size_t number = pick(ids_.size());
    if (world_.client.streams[ids_[number]].closed || plans_[number].client_cancels) return;
    plans_[number].client_cancels = true;
    world_.client.reset(ids_[number], NGHTTP2_CANCEL);
  }

  void change_settings() {
    Endpoint& endpoint = pick(2) == 0 ? world_.client : world_.server;
    switch (pick(3)) {
      case 0:
        window_ += 10'000;
        return endpoint.settings(
            {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, shrinks_ ? uint32_t(pick(90'000)) : window_}});
      case 1:
        return endpoint.settings({{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, uint32_t(pick(5'000))},
                                  {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, uint32_t(pick(5'000))}});
      default:
        return endpoint.settings({{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, uint32_t(16'384 + pick(100'000))}});
    }
  }

  void clear(const std::string& fault) {
    world_.session.fault_cleared({fault}, world_.now);
    world_.deliver();
    world_.run();
  }

  /// Calls that have not ended: MAX_CONCURRENT_STREAMS lets the client keep some back.
  size_t waiting() {
    size_t n = 0;
    for (int32_t id : ids_) n += world_.client.streams[id].closed ? 0 : 1;
    return n;
  }

  void check() {
    ASSERT_EQ(complaints(), std::vector<std::string>{});
    for (size_t i = 0; i < plans_.size(); ++i) {
      const Plan& plan = plans_[i];
      SCOPED_TRACE("call " + std::to_string(i) + " on stream " + std::to_string(ids_[i]) + " fault " +
                   std::to_string(int(plan.fault)) + " stage " + std::to_string(int(plan.stage)));
      const Received& got = world_.client.streams[ids_[i]];
      ASSERT_TRUE(got.closed.has_value())
          << "the call never ended; body " << plan.body.size() << ", received " << got.body.size()
          << ", live " << world_.session.live_calls() << ", client's windows "
          << nghttp2_session_get_remote_window_size(world_.client.native()) << " and "
          << nghttp2_session_get_stream_remote_window_size(world_.client.native(), ids_[i]) << ", server's "
          << nghttp2_session_get_remote_window_size(world_.server.native()) << " and "
          << nghttp2_session_get_stream_remote_window_size(world_.server.native(), ids_[i]);
      if (got.closed == NGHTTP2_REFUSED_STREAM && !plan.client_cancels) {
        // "Not processed": only by GOAWAY here, and it had better be true.
        EXPECT_TRUE(draining_);
        EXPECT_FALSE(plan.reached_server);
        continue;
      }
      const bool spoilt = plan.client_cancels || plan.server_resets ||
                          (plan.fault != Plan::Fault::none && plan.fault != Plan::Fault::hold &&
                           plan.fault != Plan::Fault::delay && plan.fault != Plan::Fault::edit &&
                           plan.fault != Plan::Fault::pace);
      if (spoilt) continue;
      if (shrinks_ && got.closed == NGHTTP2_FLOW_CONTROL_ERROR) continue;
      ASSERT_EQ(got.closed, static_cast<uint32_t>(NGHTTP2_NO_ERROR));
      EXPECT_EQ(faults::value_of(got.trailers, "grpc-status"), "0");
      EXPECT_EQ(faults::value_of(got.trailers, "x-call"), std::to_string(i));
      if (!plan.trailers_only) {
        EXPECT_TRUE(got.body == plan.body);
      }
    }
    EXPECT_EQ(world_.session.live_calls(), 0u);
    EXPECT_EQ(world_.host.all<faults::CallStarted>().size(), world_.host.all<faults::CallEnded>().size());
    EXPECT_FALSE(world_.session.holds_output(Side::upstream));
    EXPECT_FALSE(world_.session.holds_output(Side::downstream));
  }

  Rng rng_;
  World world_;
  std::vector<Plan> plans_;
  std::vector<int32_t> ids_;
  bool limits_streams_ = false;
  const bool shrinks_;
  uint32_t window_ = 100'000;
  const bool drains_ = pick(4) == 0;
  const bool controls_ = pick(2) == 0;
  bool draining_ = false;
};

TEST(TortureTest, NoEndpointEverFindsFaultAndUnaffectedCallsGetTheirBytes) {
  const char* only = std::getenv("BREAKWIRE_TORTURE_SEED");
  const uint64_t first = only != nullptr ? std::stoull(only) : 1;
#ifdef __SANITIZE_ADDRESS__
  constexpr uint64_t enough = 100;
#else
  constexpr uint64_t enough = 600;
#endif
  const uint64_t last = only != nullptr ? first : enough;
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("replay with BREAKWIRE_TORTURE_SEED=" + std::to_string(seed));
    Torture(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace breakwire::http2::testing
