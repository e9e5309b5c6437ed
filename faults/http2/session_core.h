// The inside of http2::Session. Split over session_core.cpp (what holds it together), session_frames.cpp
// (control frames), session_control.cpp (what faults do to them, and what the relay says itself),
// session_calls.cpp (what a call's frames go through), session_data.cpp (DATA), session_rulings.cpp (what
// faults do to calls) and session_edits.cpp (what they do to a call's frames). Pure.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "faults/http2/block_path.h"
#include "faults/http2/control_queue.h"
#include "faults/http2/flow.h"
#include "faults/http2/frame_reader.h"
#include "faults/http2/hpack.h"
#include "faults/http2/observation_log.h"
#include "faults/http2/output.h"
#include "faults/http2/per_second.h"
#include "faults/http2/session.h"
#include "faults/http2/settings.h"
#include "faults/http2/stream.h"
#include "faults/http2/stream_ids.h"
#include "faults/http2/workspace.h"

namespace breakwire::http2 {

constexpr Side other(Side side) { return side == Side::downstream ? Side::upstream : Side::downstream; }
constexpr size_t index(Side side) { return side == Side::downstream ? 0 : 1; }
constexpr size_t index(Direction direction) { return direction == Direction::request ? 0 : 1; }
constexpr Side sender(Direction direction) {
  return direction == Direction::request ? Side::downstream : Side::upstream;
}
constexpr Side receiver(Direction direction) { return other(sender(direction)); }
constexpr Direction direction_from(Side side) {
  return side == Side::downstream ? Direction::request : Direction::response;
}

class Session::Core {
 public:
  Core(SessionOptions options, SessionHost& host);

  /// `lent`: until the output is taken or kept, `bytes` stay where they are.
  void receive(Side from, Bytes bytes, Instant now, bool lent);
  void written(Side to, uint64_t total, Instant now);
  void peer_gone(Side side, bool reset, Instant now, const FaultId& by);
  void act(const FaultId& fault, const faults::WireAction& action, Instant now);
  void fault_cleared(const FaultId& fault, Instant now);
  void advance(Instant now);
  std::optional<Instant> next_due() const;
  Gathered take_output(Side to) { return peer(to).output.take(); }
  void keep_output() {
    for (PeerState& peer : peers_) peer.output.keep();
  }
  bool answers_pile_up() const {
    return std::any_of(peers_.begin(), peers_.end(), [this](const PeerState& peer) {
      return peer.output.control_backlog() > options_.limits.queued_control_frames / 20;
    });
  }
  bool wants_input(Side from) const;
  bool holds_output(Side to) const;
  void flush_observations() { log_.flush(); }
  const std::optional<Demand>& demand() const { return demand_; }
  size_t live_calls() const { return live_calls_; }
  uint64_t ignored_frames() const { return ignored_frames_; }

 private:
  /// What became of a frame that was to be passed on. After `gone` neither the frame nor, mostly, its stream
  /// exists any more.
  enum class Step { done, waits, gone };

  /// Hands what a reader cut to the core, with the side it came from.
  class Sink final : public FrameSink {
   public:
    Sink(Core& core, Side from) : core_(core), from_(from) {}
    bool on_preface() override;
    bool on_data(const DataPiece& piece) override;
    bool on_block(const BlockView& block) override;
    bool on_control(const FrameHeader& header, Bytes payload) override;
    bool on_ignored(const FrameHeader& header) override;
    void on_violation(Http2Error code, const std::string& what) override;
    void on_limit(const char* option) override;

   private:
    Core& core_;
    Side from_;
  };

  struct PeerState {
    explicit PeerState(FrameReader frame_reader) : reader(std::move(frame_reader)) {}
    FrameReader reader;
    Output output;
    PeerSettings accepts;  // what it announced and the other peer acknowledged
    PeerSettings seen;     // the same as the other peer knows it: not alike while a fault edits it
    Announcement announcement;
    SettingsQueue settings;  // SETTINGS sent to it
    PerSecond resets;        // RST_STREAM from it
    PerSecond idle_frames;   // see Limits
    bool begun = false;      // SETTINGS, which have to come first, were written to it
    bool gone = false;
  };
  /// One direction of the connection.
  struct Way {
    FieldDecoder decoder;
    BlockPath blocks;
    FlowLedger connection{default_window};
    int64_t held = 0;        // bytes of DATA that faults hold back
    bool held_told = false;  // that the bound was reached
    size_t kept = 0;         // memory of all waiting frames
    std::set<StreamId> waiting_for_room;
    bool room_opened = false;
    ControlQueue control;  // control frames that faults keep
  };
  /// A GOAWAY of ours, and what it leads to.
  struct Drain {
    enum class Step {
      waits,      // for the upstream's SETTINGS
      announced,  // 2^31-1 was said; our PING is to be answered
      said,       // the last stream id was said
    };
    FaultId by;
    faults::SendGoaway what;
    Step step = Step::waits;
    uint64_t ping = 0;  // its payload
    Instant due;        // no longer is waited for its ACK
  };

  PeerState& peer(Side side) { return peers_[index(side)]; }
  const PeerState& peer(Side side) const { return peers_[index(side)]; }
  const Way& way(Direction direction) const { return ways_[index(direction)]; }
  Way& way(Direction direction) { return ways_[index(direction)]; }
  std::string& out(Side to) { return peer(to).output.bytes(); }

  // session_core.cpp
  void end_turn();
  void check_limits();
  void violation(Side by, Http2Error code, const std::string& what);
  void limit_reached(Side by, const std::string& option);
  void say_goaway(Side to, Http2Error code);
  void set_demand(bool reset, const FaultId& fault);
  void end_all_calls(const FaultId& by);
  Stream* find(Side from, StreamId id);
  /// True for an id that `from` may not use yet (RFC 9113 §5.1, "idle").
  bool is_idle(Side from, StreamId id) const;
  void remove(Stream& stream);
  void free_slot(Stream& stream);
  void discard(Stream& stream, Direction direction);
  void forget_due(Instant due, StreamId stream, Direction direction);
  void update_held(Stream& stream, Direction direction);
  /// What of the held bytes the sender's connection window is given back for.
  int64_t advance_for_held(Direction direction) const;
  void settle_connection(Direction direction);
  void settle_stream(Stream& stream, Direction direction);
  void send_reset(Side to, StreamId id, Http2Error code);
  void send_window_update(Side to, StreamId id, uint32_t increment);

  // session_frames.cpp
  /// Counts a frame that moves no call; false when its sender has sent too many.
  bool may_idle(Side from);
  void on_settings(Side from, const FrameHeader& header, Bytes payload);
  void pass_settings(Side from, uint8_t flags, Bytes payload);
  void on_settings_ack(Side from);
  void on_ping(Side from, const FrameHeader& header, Bytes payload);
  void pass_ping(Side from, uint8_t flags, Bytes payload, ObservationLog::Ticket ticket);
  void on_goaway(Side from, const FrameHeader& header, Bytes payload);
  void pass_goaway(Side from, Bytes payload, ObservationLog::Ticket ticket);
  void refuse_above(StreamId last_up, StreamId last_down);
  void on_window_update(Side from, StreamId id, uint32_t increment);
  void on_reset(Side from, StreamId id, Http2Error code);
  void on_reset_of_idle(Side from, StreamId id, Http2Error code);

  // session_control.cpp
  faults::Ruling ask(Side from, faults::ControlFrame kind, StreamId stream);
  /// Asks about a peer's frame. Answers whether it is to be passed on now; else it waits, or never is.
  bool may_pass(Side from, faults::ControlFrame kind, const FrameHeader& header, Bytes payload,
                ObservationLog::Ticket ticket);
  /// Asks about a WINDOW_UPDATE, `increment` of which the sender of DATA is to get.
  void rule_on_increment(Side from, StreamId id, const Stream* stream, FlowLedger& ledger, int64_t increment);
  void thaw(Side from, StreamId id, int64_t increment);
  void release_control(Direction direction);
  void pass_kept(Side from, const WaitingFrame& frame);
  void control_cleared(const FaultId& fault);
  void control_hit(const FaultId& fault, Direction direction, const faults::WireAction& action);
  void edit_settings(const FaultId& fault, const faults::EditSettings& edit);
  void tell_settings(Side announcer, const std::vector<Setting>& settings);
  void go_on_draining();
  void announce(Drain& drain);
  void say_last(Drain& drain);
  bool is_our_pings_ack(Side from, const FrameHeader& header, Bytes payload);
  std::optional<Instant> next_control_due() const;

  // session_calls.cpp
  void on_block(Side from, const BlockView& block);
  void on_new_call(const BlockView& block, uint64_t number, FieldSection fields);
  void enqueue(Stream& stream, Direction direction, Item&& item);
  void charge(Item& item, Direction direction);
  void pump(Stream& stream, Direction direction);
  bool finish(Stream& stream);
  Step pass(Stream& stream, Direction direction, Item& item);
  Step pass_request_headers(Stream& stream, Item& item);
  Step pass_response_headers(Stream& stream, Item& item);
  Step pass_reset(Stream& stream, Item& item);
  Step pass_withheld(Stream& stream, Item& item);
  bool open_upstream(Stream& stream);
  bool slot_free() const { return !max_streams_ || upstream_open_ < *max_streams_; }

  // session_data.cpp
  void on_data(Side from, const DataPiece& piece);
  Step pass_data(Stream& stream, Direction direction, Item& item);
  /// Finds the next message's end in the piece, or the beginning of one that a fault cuts off.
  bool find_message(Stream& stream, Direction direction, Item& item, bool withheld);
  bool write_data(Stream& stream, Direction direction, Item& item, size_t upto, bool with_tail);
  void append_piece(Side to, StreamId id, const Item& item, size_t n, bool end_stream, bool padded);
  void message_seen(Stream& stream, Direction direction, const Item& item, const Item::Message& message,
                    bool written);

  // session_rulings.cpp
  /// Asks about the next thing in the lane, `item`; afterwards it has a gate, unless it may simply pass.
  void consult(Stream& stream, Direction direction, Stage stage, const Item& item, uint64_t message = 0,
               bool early = false);
  /// Asks anew about what waits at a gate, when the fault whose answer it was is over.
  void consult_again(Stream& stream, Direction direction);
  /// `told`: delays whose hits have been told.
  void open_gate(Stream& stream, Direction direction, const Item& item, faults::CallReached reached,
                 const std::vector<std::pair<FaultId, Duration>>& told);
  /// Carries out what the gate says as far as it is time; `done` when the lane is free again.
  Step resolve(Stream& stream, Direction direction, Item& item);
  Step reach(Stream& stream, Direction direction, Stage stage, Item& item);
  /// Takes a cleared fault out of the gate, its delay too; answers whether it was in it.
  bool withdraw(Stream& stream, Direction direction, const FaultId& fault);
  Step end_with_status(Stream& stream, const faults::EndCall& answer, const FaultId& by);
  Step end_with_reset(Stream& stream, Http2Error code, const FaultId& by);
  void cancel_upstream(Stream& stream);
  /// The downstream has all it will get: the stream is over.
  Step close_answered(Stream& stream, ObservationLog::Ticket ended);
  void fault_hit(const FaultId& fault, StreamId stream, const faults::WireAction& action);
  void tell_upstream_ended(Stream& stream, const Item& item);
  ObservationLog::Ticket tell_ended(Stream& stream, faults::CallEnded ended);
  void ended_leaves(Stream& stream, ObservationLog::Ticket ticket, Side to);

  // session_edits.cpp
  void apply_effects(Stream& stream, Direction direction, Item& item, const Gate& gate);
  bool edit_block(Stream& stream, Direction direction, Item& item, const faults::EditFields& edit,
                  const FaultId& by);
  Step end_with_page(Stream& stream, const faults::AnswerHttp& answer, const FaultId& by);
  Step end_without_trailers(Stream& stream, const FaultId& by);
  Step pass_cut(Stream& stream, Direction direction, Item& item);
  void skip_messages(Stream& stream, Direction direction, Item& item);
  void end_cut_request(Stream& stream);
  /// So many bytes of DATA may leave the lane now; 0: later, and then it is looked at again.
  size_t paced(Stream& stream, Direction direction);
  bool unpace(Stream& stream, Direction direction, const FaultId& fault);

  SessionOptions options_;
  SessionHost& host_;
  std::unique_ptr<Workspace> own_workspace_;
  Workspace& workspace_;
  ObservationLog log_;
  Instant now_{};
  std::array<PeerState, 2> peers_;
  std::array<Way, 2> ways_;
  std::map<StreamId, std::unique_ptr<Stream>> streams_;  // by downstream id
  std::unordered_map<StreamId, Stream*> by_up_;
  StreamIds ids_;
  StreamId last_down_ = 0;
  size_t live_calls_ = 0;
  size_t open_calls_bytes_ = 0;
  size_t upstream_open_ = 0;
  std::optional<uint32_t> max_streams_;  // the upstream's MAX_CONCURRENT_STREAMS
  std::set<StreamId> waiting_for_slot_;
  bool slot_freed_ = false;
  bool downstream_begun_ = false;      // since the last turn: what it needs an answer for may go on
  std::optional<StreamId> goaway_up_;  // the upstream's last id, and what downstream was told
  std::optional<StreamId> goaway_down_;
  FaultId goaway_by_;  // whose GOAWAY that was; empty: the upstream's
  std::vector<Drain> drains_;
  uint64_t pings_ = 0;                                       // of ours, so far
  std::vector<uint64_t> unanswered_pings_;                   // the payloads of those
  std::set<std::pair<FaultId, Direction>> told_of_control_;  // hits
  std::multimap<Instant, std::pair<StreamId, Direction>> due_;
  uint64_t ignored_frames_ = 0;
  std::optional<Demand> demand_;
  bool over_ = false;  // nothing is read any more
  bool lent_ = false;  // what is being read may be lent to the output
};

}  // namespace breakwire::http2
