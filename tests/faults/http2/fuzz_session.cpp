// Feeds the session hostile bytes on both sides, in pieces, with random rulings, and checks what no input may
// break: what comes out are sound frames whose blocks decode, within the windows that the receiver gave, with
// nothing on a stream after its end; and every call that started has ended. tests/fuzz makes a libFuzzer
// target of it; fuzz_test.cpp runs it over corpus/.
#include <map>
#include <set>

#include "base/rng.h"
#include "faults/http2/session.h"
#include "faults/http2/settings.h"
#include "tests/faults/http2/fuzz_input.h"
#include "tests/faults/http2/fuzz_peers.h"
#include "tests/faults/http2/lending.h"

namespace breakwire::http2::testing {
namespace {

/// One SETTINGS parameter that `parameter` selects.
std::string serialise_setting(uint8_t parameter) {
  const std::vector<Setting> some{{SettingId::header_table_size, parameter * 20u},
                                  {SettingId::initial_window_size, parameter * 300u},
                                  {SettingId::max_frame_size, 16'384u + parameter},
                                  {SettingId::max_concurrent_streams, parameter % 8u}};
  return serialise({some[parameter % some.size()]});
}

class RandomHost final : public SessionHost {
 public:
  explicit RandomHost(uint64_t seed) : rng_(seed) {}
  faults::Ruling decide(const faults::CallReached& reached) override {
    must(!forgotten_.contains(reached.call->stream), "asked about a call after its end");
    faults::Ruling ruled{.by = some_fault()};
    if (rng_.next() % 8 == 0) {
      ruled.delay = std::chrono::milliseconds(rng_.next() % 50);
      ruled.delayed_by = {ruled.by};
    }
    switch (rng_.next() % 24) {
      case 0:
      case 1:
        ruled.action = faults::Hold{};
        break;
      case 2:
        ruled.action = faults::EndCall{StatusCode::aborted, "m", {{"k", "v", true}}};
        break;
      case 3:
        if (reached.stage == faults::Stage::headers) ruled.action = faults::WithholdResponse{};
        break;
      case 4:
        ruled.action = faults::ResetStream{Http2Error::refused_stream};
        break;
      case 5:
        if (rng_.next() % 32 == 0) ruled.action = faults::ResetConnection{};
        break;
      case 6:
      case 7:
        edit(reached, ruled);
        break;
      default:
        break;
    }
    return ruled;
  }
  faults::Ruling decide(const faults::ControlReached& reached) override {
    faults::Ruling ruled{.by = some_fault()};
    switch (rng_.next() % 16) {
      case 0:
      case 1:
        ruled.action = faults::Hold{};
        break;
      case 2:
        if (reached.frame != faults::ControlFrame::settings) ruled.action = faults::Swallow{};
        break;
      case 3:
        ruled.delay = std::chrono::milliseconds(rng_.next() % 50);
        ruled.delayed_by = {ruled.by};
        ruled.delays = {ruled.delay};
        break;
      case 4:
        ruled.effects.push_back({.by = some_fault(), .action = some_edit()});
        break;
      case 5:
        if (rng_.next() % 32 == 0) ruled.action = faults::CloseConnection{};
        break;
      default:
        break;
    }
    return ruled;
  }
  FaultId some_fault() { return {std::string(1, static_cast<char>('a' + rng_.next() % 3))}; }
  faults::EditSettings some_edit() {
    const std::map<uint16_t, uint32_t> values{{1, rng_.next() % 5'000},
                                              {3, rng_.next() % 4},
                                              {4, rng_.next() % 100'000},
                                              {5, 16'384 + rng_.next() % 1'000}};
    faults::EditSettings edit{.to_caller = rng_.next() % 2 == 0};
    for (const auto& value : values) {
      if (rng_.next() % 2 == 0) edit.values.insert(value);
    }
    return edit;
  }
  faults::SendGoaway some_goaway() {
    return {.code = Http2Error::no_error,
            .debug = "d",
            .last = static_cast<faults::SendGoaway::Last>(rng_.next() % 2),
            .then = static_cast<faults::SendGoaway::Then>(rng_.next() % 3)};
  }
  void carried_out(const FaultId&) override {}
  void carried_out(const FaultId&, StreamId stream) override {
    must(!forgotten_.contains(stream), "done to a call after its end");
  }
  void forget(StreamId stream) override { must(forgotten_.insert(stream).second, "forgotten twice"); }
  void observe(faults::Observation&& observation) override {
    if (std::holds_alternative<faults::CallStarted>(observation)) ++started_;
    if (std::holds_alternative<faults::CallEnded>(observation)) {
      must(started_ > ended_, "a call ended before it started");
      ++ended_;
    }
  }
  size_t under_way() const { return started_ - ended_; }

 private:
  /// What changes a call's frames, where that can be said.
  void edit(const faults::CallReached& reached, faults::Ruling& ruled) {
    using faults::Stage;
    const auto effect = [&](faults::WireAction action) {
      ruled.effects.push_back({ruled.by, std::move(action)});
    };
    switch (reached.stage) {
      case Stage::headers:
      case Stage::response_headers:
        if (rng_.next() % 3 == 0) {
          ruled.action = faults::AnswerHttp{502, {{"k", "v", true}}, std::string(rng_.next() % 90'000, 'p')};
        } else if (rng_.next() % 2 == 0) {
          effect(
              faults::Pace{.bytes = 1 + rng_.next() % 50, .gap = std::chrono::milliseconds(rng_.next() % 9)});
        } else {
          effect(faults::EditFields{{"content-type"}, {{"k", "v"}}, {{"te", "x"}}});
        }
        break;
      case Stage::request_message:
      case Stage::response_message:
        ruled.action = faults::CutMessage{rng_.next() % 20};
        break;
      case Stage::request_end:
        ruled.action = faults::AnswerHttp{503, {}, "busy"};
        break;
      case Stage::response_end:
        if (rng_.next() % 2 == 0) {
          ruled.action = faults::DropTrailers{};
        } else {
          effect(faults::EditFields{{"grpc-status"}, {{"k", "v"}}, {}});
        }
        break;
    }
  }

  Rng rng_;
  std::set<StreamId> forgotten_;
  size_t started_ = 0;
  size_t ended_ = 0;
};

/// The session with both peers' knowledge of it.
class Arena {
 public:
  explicit Arena(uint64_t seed)
      : host_(seed),
        session_({.edge = {"e"}, .connection = {1}, .limits = {.field_list_bytes = 16'384}}, host_) {}

  void receive(Side from, Bytes bytes) {
    if (!session_.wants_input(from)) return;
    (from == Side::downstream ? client_grants_ : server_grants_).read(bytes);
    for (const auto& [to, output] : lender_.receive(session_, from, bytes, now_, reading_)) {
      carry(to, output);
    }
    settle();
  }
  void wait(Duration time) {
    now_ += time;
    session_.advance(now_);
    settle();
  }
  void clear(const FaultId& fault) {
    session_.fault_cleared(fault, now_);
    settle();
  }
  /// A fault speaks in a peer's name.
  void act(bool goaway) {
    faults::WireAction action = faults::Forward{};
    if (goaway) {
      action = host_.some_goaway();
    } else {
      action = host_.some_edit();
    }
    session_.act(host_.some_fault(), action, now_);
    settle();
  }
  /// The peer reads what is there, or for a while does not.
  void reading(bool on) {
    reading_ = on;
    settle();
  }
  void finish() {
    settle();
    session_.peer_gone(Side::downstream, true, now_);
    session_.flush_observations();
    must(session_.live_calls() == 0, "calls live on without their connection");
    must(host_.under_way() == 0, "a call that started never ended");
  }

 private:
  void settle() {
    if (reading_) {
      for (const Side to : {Side::upstream, Side::downstream}) carry(to, session_.take_output(to));
    }
    session_.flush_observations();
    must(session_.live_calls() == host_.under_way(), "live calls are not those told");
  }
  void carry(Side to, const std::string& bytes) {
    (to == Side::upstream ? server_ : client_).read(bytes);
    total_[to] += bytes.size();
    session_.written(to, total_[to], now_);
  }

  RandomHost host_;
  Session session_;
  Instant now_ = Instant{} + 1h;
  bool reading_ = true;
  Receiver server_{true};
  Receiver client_{false};
  Lender lender_;
  Grants client_grants_{true, client_};
  Grants server_grants_{false, server_};
  std::map<Side, uint64_t> total_;
};

/// Sound frames, so that the input reaches what lies behind the first mistake.
std::string canned(uint8_t which, uint8_t parameter) {
  const StreamId id = 2u * (parameter % 16) + 1;
  const faults::Metadata fields{{":path", "/s/M"}, {":status", "200"}, {"content-type", "application/grpc"}};
  std::string out;
  switch (which % 14) {
    case 0:
      append_field_block(out, id, encode_literally(fields), false, 16'384);
      break;
    case 1:
      append_field_block(out, id, encode_literally(fields), true, 16'384);
      break;
    case 2:
      append_data(out, id, bytes_of(hex("00 00000003") + "abc"), false);
      break;
    case 3:
      append_data(out, id, bytes_of(hex("00 00000003") + "abc" + hex("00 00000000")), true, true, 9);
      break;
    case 4:
      append_field_block(out, id, encode_literally({{"grpc-status", "0"}}), true, 16'384);
      break;
    case 5:
      append_rst_stream(out, id, Http2Error::cancel);
      break;
    case 6:
      append_window_update(out, parameter % 2 ? id : 0, 1u + parameter);
      break;
    case 7:
      append_goaway(out, parameter > 200 ? max_stream_id : id, Http2Error::no_error, "x");
      break;
    case 8:
      out = settings_frame(serialise_setting(parameter));
      break;
    case 9:
      out = frame(FrameType::settings, flag::ack, 0, "");
      break;
    case 10:
      append_data(out, id, bytes_of(std::string(parameter * 40u, 'd')), false);
      break;
    case 12:  // of one of the relay's own
      out = frame(FrameType::ping, flag::ack, 0,
                  hex("627265616b770000").substr(0, 7) + static_cast<char>(parameter % 4));
      break;
    case 13:
      out = frame(FrameType::ping, flag::ack, 0, "12345678");
      break;
    default:
      out = frame(FrameType::ping, 0, 0, "12345678");
      break;
  }
  return out;
}

}  // namespace

void fuzz_session(const uint8_t* data, size_t size) {
  Input input(data, size);
  Arena arena(input.byte());
  if (input.byte() % 8 != 0) {
    const std::string client = std::string(client_preface) + settings_frame();
    arena.receive(Side::downstream, bytes_of(client));
    arena.receive(Side::upstream, bytes_of(settings_frame()));
  }
  while (!input.empty()) {
    const uint8_t what = input.byte();
    const Side side = what & 0x80 ? Side::upstream : Side::downstream;
    switch (what & 7) {
      case 0:
        arena.receive(side, input.run(input.byte()));
        break;
      case 1:
        arena.wait(std::chrono::milliseconds(input.byte()));
        break;
      case 2:
        arena.clear({std::string(1, static_cast<char>('a' + input.byte() % 3))});
        break;
      case 3:
        arena.reading(input.byte() % 2 == 0);
        break;
      case 4: {  // a sound frame in two parts
        const uint8_t which = input.byte();
        const std::string whole = canned(which, input.byte());
        const size_t cut = input.byte() % (whole.size() + 1);
        arena.receive(side, bytes_of(std::string_view(whole).substr(0, cut)));
        arena.receive(side, bytes_of(std::string_view(whole).substr(cut)));
        break;
      }
      case 5:
        arena.act(what & 0x40);
        break;
      default: {
        const uint8_t which = input.byte();
        arena.receive(side, bytes_of(canned(which, input.byte())));
        break;
      }
    }
  }
  arena.reading(true);
  arena.finish();
}

}  // namespace breakwire::http2::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  breakwire::http2::testing::fuzz_session(data, size);
  return 0;
}
