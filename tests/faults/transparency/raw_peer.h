// A client or a server that speaks HTTP/2 in frames of its own making: valid, and at every step one of all
// those that RFC 9113 would let it send, also such as no library emits. What it reads it decodes itself
// (HPACK by libnghttp2's inflater); it shares no code with faults/http2.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/faults/http2/end.h"
#include "tests/faults/transparency/hpack_writer.h"
#include "tests/faults/transparency/transcript.h"

namespace breakwire::http2::testing {

class RawPeer final : public End {
 public:
  enum class Role { client, server };
  RawPeer(Role role, uint64_t seed);

  /// One thing that it may do now, or none.
  void act();
  /// Puts an end to what is under way: opens windows, ends streams, acknowledges, and asks by a last PING.
  void wind_up();
  /// Sends a PING. Once its answer is there, everything that it said before has been read.
  void ask();
  /// Its PINGs were, all of them.
  bool answered() const { return unanswered_.empty(); }
  /// Everything it had to say was said, and every question was answered.
  bool quiet() const;
  std::string output() override { return std::exchange(out_, {}); }
  void input(std::span<const uint8_t> bytes) override;

  struct Stream {
    int64_t send_window = 0;
    int64_t receive_window = 0;
    int64_t consumed = 0;                                        // received and not yet given back
    uint64_t sent_flow = 0, got_flow = 0;                        // DATA with its padding (RFC 9113 §6.1)
    uint64_t granted = 0, got_granted = 0, granted_in_time = 0;  // by WINDOW_UPDATE
    bool answered = false;                                       // server: final response HEADERS were sent
    bool sent_end = false, got_end = false;
    bool sent_reset = false, got_reset = false;
    bool refused = false;  // above a GOAWAY's last id
    std::string name{};    // the request's "x-id"
    bool complete() const { return sent_end && got_end; }
    bool broken() const { return sent_reset || got_reset || refused; }
    bool over() const { return complete() || broken(); }
  };

  /// Client: what the next requests say under "x-fault", at random.
  std::vector<std::string> faults_wanted;

  Transcript sent, got;
  std::vector<std::string> complaints;  // nothing must ever be here
  std::map<uint32_t, Stream> streams;
  Stream connection;                   // its windows
  std::optional<uint32_t> got_goaway;  // the last id
  std::optional<uint32_t> sent_goaway;
  size_t ignored = 0;  // PRIORITY and unknown frames that reached it

 private:
  using Settings = std::vector<std::pair<uint16_t, uint32_t>>;
  struct InForce {
    int64_t initial_window = 65'535;
    uint32_t max_frame = 16'384;
    std::optional<uint32_t> max_streams;
  };
  struct FreeInflater {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };

  uint64_t pick(uint64_t n) { return rng_.next() % n; }
  bool is_client() const { return role_ == Role::client; }
  void complain(const std::string& what);
  Stream* any_stream(bool (*fits)(const Stream&), uint32_t& id);

  // Sending.
  void frame(uint8_t type, uint8_t flags, uint32_t id, const std::string& payload);
  void send_settings(const Settings& settings);
  void some_settings();
  void acknowledge_settings();
  void some_control();
  void open_stream();
  void answer();
  void send_block(uint32_t id, faults::Metadata fields, bool end);
  void send_data(uint32_t id, Stream& stream, size_t most, bool end);
  void some_data();
  void end_some();
  void end(uint32_t id, Stream& stream);
  void reset_some();
  void grant(uint32_t id, Stream& stream, int64_t n);
  void grant_some();
  void say_goaway();
  faults::Metadata some_fields();

  // Reading.
  void on_frame(uint8_t type, uint8_t flags, uint32_t id, const std::string& payload);
  void on_data(uint8_t flags, uint32_t id, const std::string& payload);
  void on_fragment(uint8_t type, uint8_t flags, uint32_t id, std::string payload);
  void on_block(uint32_t id, bool end, const std::string& block);
  void on_settings(uint8_t flags, const std::string& payload);
  void on_window_update(uint32_t id, const std::string& payload);
  void on_goaway(const std::string& payload);
  bool idle(uint32_t id) const;

  const Role role_;
  Rng rng_;
  HpackWriter writer_{rng_};
  std::unique_ptr<nghttp2_hd_inflater, FreeInflater> inflater_;
  std::string out_, in_;
  bool preface_read_;
  InForce theirs_;               // what the peer announced and this side has acknowledged
  InForce mine_;                 // what this side announced and the peer has acknowledged
  std::deque<Settings> to_ack_;  // the peer's, not yet acknowledged
  std::deque<Settings> unacked_;
  std::deque<std::string> pings_to_ack_, unanswered_;
  uint32_t last_opened_ = 0;  // client: by itself; server: by the peer
  uint32_t block_stream_ = 0;
  bool block_end_ = false;
  std::string block_;
  bool said_last_ = false;
};

}  // namespace breakwire::http2::testing
