// DATA on its way: cut through, ruled on message by message, written as far as both windows allow (RELAY.md
// rules 2 and 3).
#include <algorithm>

#include "faults/http2/session_core.h"

namespace breakwire::http2 {
namespace {

constexpr size_t largest_piece = 64 * 1024;
constexpr size_t worth_lending = 4 * 1024;
constexpr uint64_t flood = 1024 * 1024;  // more output than reading alone ever makes, see wants_input

}  // namespace

void Session::Core::on_data(Side from, const DataPiece& piece) {
  const Direction direction = direction_from(from);
  const auto flow = static_cast<int64_t>(piece.flow());
  FlowLedger& connection = way(direction).connection;
  connection.received(flow);
  if (connection.granted() < 0) {
    return violation(from, Http2Error::flow_control_error, "DATA beyond the connection's window");
  }
  Stream* stream = find(from, piece.stream);
  if (stream == nullptr) {
    if (is_idle(from, piece.stream))
      return violation(from, Http2Error::protocol_error, "DATA on an idle stream");
    return settle_connection(direction);  // swallowed
  }
  Lane& lane = stream->lane(direction);
  lane.flow.received(flow);
  if (lane.received_end || (direction == Direction::request && stream->up_reset)) {
    settle_connection(direction);
    if (!lane.received_end) settle_stream(*stream, direction);
    lane.received_end = lane.received_end || piece.end_stream;
    return;
  }
  lane.received_end = piece.end_stream;
  connection.buffer(flow);
  lane.flow.buffer(flow);
  enqueue(*stream, direction,
          {.kind = Item::Kind::data,
           .received = now_,
           .end_stream = piece.end_stream,
           .input = piece.data,
           .last = piece.last,
           .padded = piece.padded,
           .padding = piece.padding});
}

Session::Core::Step Session::Core::pass_data(Stream& stream, Direction direction, Item& item) {
  Lane& lane = stream.lane(direction);
  if (lane.cut) return pass_cut(stream, direction, item);
  const bool withheld = direction == Direction::response && !stream.withheld_by.empty();
  const Bytes bytes = item.bytes();
  while (lane.counts_messages && (item.ruling_on || find_message(stream, direction, item, withheld))) {
    if (lane.gate) {
      // What came before the message is not concerned.
      if (!write_data(stream, direction, item, item.ruling_on->begin, false)) return Step::waits;
      if (const Step step = resolve(stream, direction, item); step != Step::done) return step;
      if (lane.cut) return pass_cut(stream, direction, item);
    }
    item.scanned = item.ruling_on->end;
    if (item.ruling_on->whole) item.passed.push_back(*item.ruling_on);
    item.ruling_on.reset();
  }

  if (withheld) {
    for (const auto& message : item.passed) message_seen(stream, direction, item, message, false);
    item.passed.clear();
    stream.discarded = true;
    const int64_t n = lane.flow.buffered();
    lane.flow.discarded(n);
    way(direction).connection.discarded(n);
    update_held(stream, direction);
    settle_connection(direction);
    settle_stream(stream, direction);
    return item.end_stream ? pass_withheld(stream, item) : Step::done;
  }

  if (item.end_stream && !item.end_passed) {
    if (!lane.gate) {
      const auto stage = direction == Direction::request ? Stage::request_end : Stage::response_end;
      consult(stream, direction, stage, item);
    }
    if (lane.gate) {
      if (!write_data(stream, direction, item, bytes.size(), false)) return Step::waits;
      if (const Step step = resolve(stream, direction, item); step != Step::done) return step;
    }
    item.end_passed = true;
    if (direction == Direction::response) tell_upstream_ended(stream, item);
  }
  if (!write_data(stream, direction, item, bytes.size(), true)) return Step::waits;
  if (item.end_stream) {
    lane.sent_end = true;
    if (direction == Direction::response) ended_leaves(stream, stream.ended, Side::downstream);
  }
  return Step::done;
}

bool Session::Core::find_message(Stream& stream, Direction direction, Item& item, bool withheld) {
  Lane& lane = stream.lane(direction);
  const bool begins = lane.messages.between();
  const size_t begin = item.scanned;
  Bytes rest = item.bytes().subspan(begin);
  const auto counted = lane.messages.next(rest);
  const size_t end = item.bytes().size() - rest.size();
  const auto stage = direction == Direction::request ? Stage::request_message : Stage::response_message;
  if (counted) {
    item.ruling_on = Item::Message{.begin = begin, .end = end, .counted = *counted};
    if (!withheld) consult(stream, direction, stage, item, counted->index);
    return true;
  }
  item.scanned = end;
  if (withheld || !begins || begin == end) return false;
  // Its bytes would leave before its last one is here, too late for a fault that lets only some of them go.
  consult(stream, direction, stage, item, lane.messages.index(), true);
  if (lane.gate) item.ruling_on = Item::Message{.begin = begin, .end = end, .counted = {}, .whole = false};
  return lane.gate != nullptr;
}

bool Session::Core::write_data(Stream& stream, Direction direction, Item& item, size_t upto, bool with_tail) {
  Lane& lane = stream.lane(direction);
  FlowLedger& connection = way(direction).connection;
  const Side to = receiver(direction);
  const StreamId id = direction == Direction::request ? stream.up : stream.down;
  const size_t largest = std::min<size_t>(largest_piece, peer(to).accepts.max_frame_size);
  const Bytes bytes = item.bytes();
  // The tail is what only the frame's last piece carries; an empty frame is nothing but a tail.
  bool tail_due = with_tail && item.last && (item.end_stream || item.padded || bytes.empty());
  while (item.sent < upto || tail_due) {
    if (peer(to).output.backlog() >= flood) {  // much was held: let the peer read first
      way(direction).waiting_for_room.insert(stream.down);
      return false;
    }
    const size_t room =
        static_cast<size_t>(std::max<int64_t>(std::min(connection.room(), lane.flow.room()), 0));
    size_t padding = item.padded ? size_t{1} + item.padding : 0;
    size_t n = std::min(upto - item.sent, largest);
    if (n > 0 && !lane.paces.empty()) {
      n = std::min(n, paced(stream, direction));
      if (n == 0) return false;
    }
    bool tail = tail_due && item.sent + n == bytes.size() && n + padding <= largest;
    if (n > room) {
      tail = false;
      n = room;
      if (n == 0) {
        way(direction).waiting_for_room.insert(stream.down);
        return false;
      }
    }
    if (tail && n + padding > room) {
      // Padding never waits for room, which the receiver might not make for so little: its sender gets the
      // credit back instead.
      lane.flow.discarded(static_cast<int64_t>(padding));
      connection.discarded(static_cast<int64_t>(padding));
      padding = 0;
      update_held(stream, direction);  // what was held was credited in advance
      settle_connection(direction);
      settle_stream(stream, direction);
    }
    append_piece(to, id, item, n, tail && item.end_stream, tail && padding > 0);
    item.sent += n;
    if (n > 0 && !lane.paces.empty()) lane.pacer.left(lane.paces, n, item.received, now_);
    const auto flow = static_cast<int64_t>(n + (tail ? padding : 0));
    for (FlowLedger* ledger : {&connection, &lane.flow}) {
      if (item.injected) {
        ledger->injected(flow);
      } else {
        ledger->forwarded(flow);
      }
    }
    if (tail) tail_due = false;
    size_t seen = 0;
    for (; seen < item.passed.size() && item.passed[seen].end <= item.sent; ++seen) {
      message_seen(stream, direction, item, item.passed[seen], true);
    }
    item.passed.erase(item.passed.begin(), item.passed.begin() + static_cast<ptrdiff_t>(seen));
    if (lane.flow.narrowed() && !lane.received_end) settle_stream(stream, direction);
  }
  return true;
}

/// The next `n` bytes of the piece as a frame; many of them are not copied as long as they lie in the input.
void Session::Core::append_piece(Side to, StreamId id, const Item& item, size_t n, bool end_stream,
                                 bool padded) {
  const Bytes data = item.bytes().subspan(item.sent, n);
  if (!lent_ || n < worth_lending || !item.kept.empty() || item.injected) {
    return append_data(out(to), id, data, end_stream, padded, item.padding);
  }
  append_data_begin(out(to), id, n, end_stream, padded, item.padding);
  peer(to).output.borrow({reinterpret_cast<const char*>(data.data()), n});
  if (padded) out(to).append(item.padding, '\0');
}

void Session::Core::message_seen(Stream& stream, Direction direction, const Item& item,
                                 const Item::Message& message, bool written) {
  const auto ticket = log_.open(faults::MessageSeen{.edge = options_.edge,
                                                    .connection = options_.connection,
                                                    .stream = stream.down,
                                                    .times = {.received = item.received},
                                                    .direction = direction,
                                                    .index = message.counted.index,
                                                    .size = message.counted.size});
  const Side to = receiver(direction);
  if (written) log_.leaves(ticket, to, peer(to).output.end(), stream.down, std::nullopt);
}

}  // namespace breakwire::http2
