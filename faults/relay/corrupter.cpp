#include "faults/relay/corrupter.h"

#include <algorithm>
#include <string_view>

#include "faults/http2/frame.h"

namespace breakwire::relay {
namespace {

using faults::Corrupt;
using Layer = Corrupt::Layer;

/// A stretch of a chunk that is of one layer.
struct Stretch {
  Layer layer = Layer::bytes;
  size_t begin = 0;
  size_t end = 0;
};

/// What of a frame's payload is the layer's: without pad length, priority and padding.
Stretch inside(const http2::FrameHeader& frame, std::string_view payload) {
  const bool block = frame.type == http2::FrameType::headers || frame.type == http2::FrameType::continuation;
  if (!block && frame.type != http2::FrameType::data) return {};
  const bool whole = frame.type == http2::FrameType::continuation;
  const bool padded = !whole && frame.has(http2::flag::padded) && !payload.empty();
  const bool priority = frame.type == http2::FrameType::headers && frame.has(http2::flag::priority);
  const size_t before = (padded ? 1 : 0) + (priority ? 5 : 0);
  const size_t padding = padded ? static_cast<uint8_t>(payload.front()) : 0;
  if (before + padding > frame.length) return {};
  return {.layer = block ? Layer::field_block : Layer::payload,
          .begin = std::min(before, payload.size()),
          .end = std::min<size_t>(frame.length - padding, payload.size())};
}

std::vector<Stretch> stretches_of(std::string_view chunk) {
  std::vector<Stretch> all;
  size_t at = chunk.starts_with(http2::client_preface) ? http2::client_preface.size() : 0;
  while (at < chunk.size()) {
    const size_t payload = std::min(at + http2::frame_header_size, chunk.size());
    all.push_back({.layer = Layer::frame_header, .begin = at, .end = payload});
    if (payload - at < http2::frame_header_size) break;
    const auto frame = http2::parse_frame_header(reinterpret_cast<const uint8_t*>(chunk.data()) + at);
    const auto content = inside(frame, chunk.substr(payload, frame.length));
    if (content.begin < content.end) {
      all.push_back({.layer = content.layer, .begin = payload + content.begin, .end = payload + content.end});
    }
    at = payload + frame.length;
  }
  return all;
}

/// The number, from 0, of the first byte to be hit at or after `from`; nothing when there is none any more.
std::optional<uint64_t> next_hit(const Corrupt& how, uint64_t from) {
  if (from <= how.skip) return how.skip;
  if (how.every == 0) return std::nullopt;
  const uint64_t beyond = (from - how.skip) % how.every;
  return beyond == 0 ? from : from + (how.every - beyond);
}

/// Answers how many bytes were changed; `counted` goes on by the length of `bytes`.
size_t flip(const Corrupt& how, std::span<char> bytes, uint64_t& counted) {
  size_t changed = 0;
  const uint64_t end = counted + bytes.size();
  for (auto hit = next_hit(how, counted); hit && *hit < end; hit = next_hit(how, *hit + 1)) {
    char& byte = bytes[*hit - counted];
    byte = static_cast<char>(static_cast<uint8_t>(byte) ^ how.mask);
    ++changed;
  }
  counted = end;
  return how.mask == 0 ? 0 : changed;
}

}  // namespace

std::vector<Corrupter::Hit> Corrupter::apply(const std::vector<Order>& orders, std::span<char> chunk,
                                             uint64_t position, bool http2, size_t gone) {
  const Stretch everything{.layer = Layer::bytes, .begin = 0, .end = chunk.size()};
  std::vector<Stretch> stretches;
  if (http2) stretches = stretches_of({chunk.data(), chunk.size()});
  std::vector<Hit> hits;
  for (const Order& order : orders) {
    const FaultId& by = order.by;
    const faults::Corrupt& how = order.how;
    auto count =
        std::find_if(counts_.begin(), counts_.end(), [&](const Count& known) { return known.by == by; });
    if (count == counts_.end()) count = counts_.insert(count, {.by = by, .of_layer = 0, .shown_until = 0});
    if (position + chunk.size() <= count->shown_until) continue;
    count->shown_until = position + chunk.size();
    size_t changed = 0;
    const auto hit = [&](const Stretch& stretch) {
      const size_t begin = std::max(stretch.begin, gone);
      if (begin < stretch.end)
        changed += flip(how, chunk.subspan(begin, stretch.end - begin), count->of_layer);
    };
    if (how.layer == Layer::bytes || (!http2 && how.layer == Layer::payload)) {
      hit(everything);
    } else {
      for (const auto& stretch : stretches) {
        if (stretch.layer == how.layer) hit(stretch);
      }
    }
    if (changed > 0) hits.push_back({.by = by, .bytes = changed});
  }
  return hits;
}

void Corrupter::forget(const FaultId& by) {
  std::erase_if(counts_, [&](const Count& count) { return count.by == by; });
}

}  // namespace breakwire::relay
