// One accepted connection of an edge, the connection dialled for it, and what travels between them.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "faults/fault_set.h"
#include "faults/http2/session.h"
#include "faults/relay/corrupter.h"
#include "faults/relay/dialer.h"
#include "faults/relay/egress.h"
#include "faults/relay/isolation.h"
#include "faults/relay/peer.h"
#include "faults/relay/protocol_sniffer.h"

namespace breakwire::relay {

using http2::Side;
inline constexpr Side both_sides[] = {Side::downstream, Side::upstream};

/// What the connections of one edge share with it; outlives them.
struct EdgeState {
  Plane& plane;
  EdgeOptions options;
  std::vector<Endpoint> upstream;  // for connections accepted from now on
  faults::FaultSet faults;
  std::map<FaultId, Instant> last_hits;  // of each fault that did something
};

/// Mirrors each peer to the other: bytes in order, FIN as FIN, RST as RST, half-close as half-close; and
/// performs what the edge's faults rule. Buffers are bounded: a side is not read while the other's queue is
/// long. Owned by its edge and by the handlers that wait for its sockets; alive until `over` was called.
class Connection final : public std::enable_shared_from_this<Connection>, private http2::SessionHost {
 public:
  using Over = std::function<void(ConnectionId)>;

  Connection(EdgeState& edge, ConnectionId id, Over over);

  /// Takes the accepted socket, tells of it, and does what the faults rule about a new connection.
  void accept(Stream accepted);

  /// The ruling of a fault armed while the connection existed.
  void found(const FaultId& fault, const faults::WireAction& action);
  /// The fault acts no longer; what it kept flows on.
  void fault_cleared(const FaultId& fault);
  ConnectionId id() const { return id_; }
  /// Neither over nor about to be.
  bool lives() const { return state_ == State::muted || state_ == State::relaying; }
  /// The edge closes.
  void shut_down();

 private:
  /// One peer, and what is on its way to it.
  struct End {
    explicit End(Plane& plane) : peer(plane) {}
    Peer peer;
    Egress egress;
    Corrupter corrupter;
    std::string unheard;  // read from it, and more than the session wanted to have at a time
    uint64_t written = 0;
    uint64_t put = 0;  // bytes that came for it, whether they have left or not
    bool cut = false;  // some were swallowed: a stream of bytes has no holes, so none follows
    bool fin_received = false;
    bool fin_wanted = false;  // the other peer's FIN follows once the session has given all its output
    bool fin_sent = false;
    bool hung = false;  // a RST is there, perhaps behind unread bytes
    bool lost = false;  // its RST was read: nothing comes from it or goes to it any more
  };
  enum class State { muted, relaying, closing, over };

  /// What the faults say about a chunk.
  struct Passage {
    Egress::Terms terms;
    std::vector<Corrupter::Order> corruptions;
    std::optional<faults::Ruling> cut;  // swallows the rest, or ends the connection
    size_t let_through = 0;             // before that
  };

  static Side other(Side side) { return side == Side::downstream ? Side::upstream : Side::downstream; }
  static faults::Direction way_to(Side side) {
    return side == Side::upstream ? faults::Direction::request : faults::Direction::response;
  }
  static faults::Peer peer_of(Side side) {
    return side == Side::upstream ? faults::Peer::upstream : faults::Peer::downstream;
  }
  End& at(Side side) { return ends_[static_cast<size_t>(side)]; }
  const End& at(Side side) const { return ends_[static_cast<size_t>(side)]; }

  // How it comes to be.
  void open_downstream(Stream accepted, bool muted);
  void dial();
  void dial_if_there_is_a_path();
  void dialled(const boost::system::error_code& error, Stream stream);
  void hung_up(Side side, HangupWatch::Hangup hangup);

  // What comes in.
  bool has_room(Side to) const { return at(to).egress.empty() || at(to).egress.has_room(clock_now()); }
  bool wants_input(Side side) const;
  void read_from(Side side);
  void received(Side from, std::string_view bytes);
  void give_session(Side from, std::string_view bytes);
  bool hear_the_rest();
  void fin_from(Side side);
  void reset_by(Side side);
  void hear_opening(std::string_view bytes);
  void begin(faults::Protocol protocol);
  void speak(const FaultId& fault, const faults::WireAction& action);

  // What goes out.
  void send(Side to, std::string_view bytes);
  void send(Side to, const http2::Gathered& output);
  void put(Side to, std::string_view bytes, const Egress::Terms& terms);
  template <class Output>
  std::optional<size_t> write_now(Side to, const Output& bytes);
  bool flush(Side to);
  void wrote(Side to, size_t count, Instant at);
  bool take_session_output();
  bool pass_on_fins();
  bool fin_waits_for_session(Side to) const;
  Passage ask(Side to, size_t count, uint64_t position);
  bool ask_again(Side to, const FaultId& fault, Instant now, bool ending);
  void corrupt(Side to, const Passage& passage, std::span<char> chunk, uint64_t position, size_t gone = 0);
  void perform(const faults::Ruling& cut, Side to);
  void tell_first_hit(Side to, const FaultId& fault, const faults::WireAction& action);

  // Paths without packets.
  bool cut_off(Side to) const { return isolation_.stops(way_to(to)); }
  void isolate(const FaultId& fault, const faults::Isolate& ways);
  bool apply_isolation();

  // How it goes on, and ends.
  void settle();
  bool hear_the_hung();
  bool finish_if_done();
  void wait_for_more();
  std::optional<Instant> next_due(Instant now) const;
  void wake_at(Instant when, Instant due);
  void await_due(Instant due);
  void on_timer();
  void check_handshake(Instant now);
  void begin_closing(faults::Peer by, const FaultId& fault, std::optional<Side> cut = {}, bool reset = false);
  void close_later(const FaultId& fault, const faults::WireAction& action);  // CloseConnection
  void close_what_is_due(Instant now);
  void end(faults::Peer by, bool reset, const FaultId& fault = {});
  void tell_end(faults::Peer by, bool reset, const FaultId& fault);
  void tell_hit(const FaultId& fault, const faults::WireAction& action);

  // http2::SessionHost
  bool rules_control() const override { return edge_.faults.concern_connections(); }
  bool rules(const faults::CallFacts& call) const override {
    return !edge_.faults.empty() && edge_.faults.concern(call);
  }
  faults::Ruling decide(const faults::CallReached& reached) override;
  void carried_out(const FaultId& fault, StreamId stream) override;
  faults::Ruling decide(const faults::ControlReached& reached) override;
  void forget(StreamId stream) override;
  void observe(faults::Observation&& observation) override;
  void carried_out(const FaultId& fault) override;

  EdgeState& edge_;
  const ConnectionId id_;
  Over over_;
  State state_ = State::relaying;
  std::array<End, 2> ends_;
  std::optional<Dialer> dialer_;
  std::unique_ptr<http2::Session> session_;
  asio::steady_timer timer_;
  std::optional<Instant> timer_at_;

  std::optional<faults::Protocol> protocol_;
  Isolation isolation_;
  ProtocolSniffer sniffer_;
  Http2Opening opening_;
  bool opening_done_ = false;
  std::optional<Instant> handshake_due_;

  std::optional<Instant> dial_at_;
  std::vector<FaultId> dial_delayed_by_;
  bool dial_waits_for_path_ = false;  // it is cut off from the upstream
  FaultId dial_held_by_;
  FaultId muted_by_;
  bool muted_closes_ = false;

  struct LateClose {
    Instant at;
    FaultId by;
  };
  std::vector<LateClose> late_closes_;
  std::vector<std::pair<FaultId, faults::WireAction>> unsaid_;  // for the session, when there is one
  std::optional<Instant> closing_due_;
  faults::Peer closed_by_ = faults::Peer::relay;
  FaultId closing_fault_;
  bool closing_resets_ = false;
  bool end_told_ = false;
  std::optional<Side> first_fin_;
  std::optional<Instant> read_at_;  // of the bytes now on their way through, for the overhead
  std::vector<std::pair<FaultId, faults::Direction>> told_hits_;
};

}  // namespace breakwire::relay
