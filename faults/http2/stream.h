// One call on its way through the relay: what is known of it, and what of it waits. Pure data.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faults/action.h"
#include "faults/fault_set.h"
#include "faults/http2/block_path.h"
#include "faults/http2/field_section.h"
#include "faults/http2/flow.h"
#include "faults/http2/grpc_messages.h"
#include "faults/http2/observation_log.h"
#include "faults/pacer.h"
#include "faults/wire_event.h"

namespace breakwire::http2 {

using faults::Direction;
using faults::Stage;

/// A ruling about the next thing to leave a lane, until it has been carried out.
struct Gate {
  Stage stage = Stage::headers;
  Instant due;  // not before
  faults::WireAction action;
  FaultId by;
  std::vector<faults::Effect> effects;               // unless the action keeps the frame from leaving
  bool told = false;                                 // its FaultHit
  std::vector<std::pair<FaultId, Duration>> delays;  // what `due` is made of, for when one of them is cleared
};

/// A frame (of DATA: a piece) of a stream that is being passed on or waits to be.
struct Item {
  enum class Kind { headers, data, reset };
  Kind kind = Kind::data;
  Instant received;
  ObservationLog::Ticket ticket = 0;  // of HEADERS and RST_STREAM
  bool end_stream = false;
  bool headers_passed = false;  // the ruling at its stage `headers` or `response_headers` is done
  bool end_passed = false;      // that at `request_end` or `response_end` too
  bool injected = false;        // the relay's own DATA: no peer's window was charged for it

  FieldBlock block;     // headers
  FieldSection fields;  // of a request's first HEADERS, unless edited, they are the stream's `request`
  bool edited = false;  // `fields` are not what `block` says

  // data: the bytes lie in the input, or in `kept` once the piece waits.
  Bytes input;
  std::string kept;
  size_t sent = 0;     // so many of them are written
  size_t scanned = 0;  // so many hold no message end that was not ruled on
  /// A message whose last byte is in this piece.
  struct Message {
    size_t begin = 0;  // its first byte in this piece
    size_t end = 0;
    MessageCounter::Message counted;
    bool whole = true;  // else it only begins here, and `end` is the end of the piece
  };
  std::optional<Message> ruling_on;                   // the message at a gate
  boost::container::small_vector<Message, 1> passed;  // ruled on, not yet written
  bool last = false;
  bool padded = false;
  uint8_t padding = 0;

  Http2Error code = Http2Error::no_error;  // reset
  size_t charged = 0;                      // its `cost` when it began to wait

  Bytes bytes() const {
    if (kept.empty()) return input;
    return {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()};
  }
  /// Makes it outlive the input.
  void keep();
  /// What keeping it costs, roughly.
  size_t cost() const;
};

/// A message that a fault cuts off. What follows it in its lane is thrown away, END_STREAM apart.
struct Cut {
  uint64_t bytes = 0;            // so many of it go, or all but one
  std::optional<uint64_t> size;  // of the whole message with its prefix, once that has been read
  uint64_t sent = 0;
  bool done = false;
};

/// One direction of a stream.
struct Lane {
  explicit Lane(FlowLedger ledger) : flow(ledger) {}
  FlowLedger flow;
  std::list<Item> waiting;
  std::unique_ptr<Gate> gate;         // before the first of `waiting`
  std::vector<faults::Pacing> paces;  // how fast faults let its DATA go
  faults::Pacer pacer;
  std::optional<Instant>
      paced_until;  // since some of `waiting` had to wait for them: when it is looked at again
  std::optional<Cut> cut;
  MessageCounter messages;
  bool counts_messages = false;  // gRPC, as its content-type says
  bool received_end = false;     // END_STREAM was read
  bool sent_end = false;         // and written
  int64_t counted_as_held = 0;   // its share of the direction's held bytes
};

struct Stream {
  Stream(StreamId down_id, FlowLedger requests, FlowLedger responses)
      : down(down_id), lanes{Lane(requests), Lane(responses)} {}

  StreamId down;
  StreamId up = 0;  // 0: its HEADERS have not left, the upstream knows nothing of it
  faults::CallFacts facts;
  FieldSection request;    // the fields of its HEADERS; `facts` get them once there are faults to ask
  size_t fields_cost = 0;  // of those, see Limits::open_calls_bytes
  std::array<Lane, 2> lanes;
  ObservationLog::Ticket started = 0;
  ObservationLog::Ticket ended = 0;  // CallEnded was told, once this is not 0
  bool ended_left = false;           // and its frame has left
  bool was_held = false;             // its HEADERS had to wait: limits in force at release are obeyed
  bool takes_slot = false;           // it counts against the upstream's MAX_CONCURRENT_STREAMS
  bool down_reset = false;           // RST_STREAM was read from or written to downstream
  bool up_reset = false;             // and upstream
  bool response_started = false;     // downstream has got response HEADERS
  int http_status = 0;               // of the response's initial HEADERS
  FaultId withheld_by;               // the response is read and discarded
  bool discarded = false;            // some of it was
  bool answered = false;             // by the relay, in the upstream's place, which is out of it
  FaultId spoilt_by;                 // its response leaves other than it came: cut, or with another status

  Lane& lane(Direction direction) { return lanes[direction == Direction::request ? 0 : 1]; }
  const Lane& lane(Direction direction) const { return lanes[direction == Direction::request ? 0 : 1]; }
  bool opened() const { return up != 0; }
  bool up_closed() const { return up_reset || (opened() && lanes[0].sent_end && lanes[1].received_end); }
  bool down_closed() const { return down_reset || (lanes[0].received_end && lanes[1].sent_end); }
};

}  // namespace breakwire::http2
