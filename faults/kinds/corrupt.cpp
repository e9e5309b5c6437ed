// corrupt: bits are flipped on the way, at a layer of one's choice.
#include <algorithm>

#include "faults/kinds/make_kind.h"

namespace breakwire {

template <>
struct EnumNames<faults::Corrupt::Layer> {
  using E = faults::Corrupt::Layer;
  static std::string type() { return "layer"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"bytes", E::bytes},
                                                            {"payload", E::payload},
                                                            {"field_block", E::field_block},
                                                            {"frame_header", E::frame_header}};
    return all;
  }
};

}  // namespace breakwire

namespace breakwire::faults {
namespace {

class CorruptKind : public TransportFault {
 public:
  Corrupt::Layer layer = Corrupt::Layer::bytes;
  ByteSize skip;
  std::optional<ByteSize> every;
  std::vector<unsigned> bits{0};

  static const Fields<CorruptKind>& fields() {
    static const auto all =
        Fields<CorruptKind>()
            .required(
                "layer", &CorruptKind::layer,
                "Which bytes count: `bytes`, any; `payload`, of DATA; `field_block`, of HEADERS and "
                "CONTINUATION; `frame_header`, the 9 octets before each frame's payload. Where an edge does "
                "not speak HTTP/2 every byte is payload, and the last two do not exist.")
            .optional(
                "skip", &CorruptKind::skip,
                "So many bytes of the layer pass unharmed first, counted for each connection and direction "
                "since the fault came into force.")
            .optional(
                "every", &CorruptKind::every,
                "From then on each so-many-th byte of the layer is hit, the first included; left out, only "
                "that one. With `frame_header`, \"9B\" is the same octet of every frame.")
            .optional("bits", &CorruptKind::bits,
                      "Which bits of such a byte are flipped, from 0, the least significant, to 7.")
            .rule([](const CorruptKind& corrupt, const json::Value& object, ErrorList& errors) {
              if (!corrupt.every || corrupt.every->bytes > 0) return;
              errors.push_back(json::error_at(object.find("every")->span, "`every` counts from one byte on",
                                              "write \"1B\" to hit all of them, or leave it out to hit one"));
            })
            .rule(check_bits);
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* chunk = std::get_if<BytesReady>(&event);
    if (!chunk || chunk->count == 0) return Forward{};
    return Corrupt{.layer = layer, .skip = skip.bytes, .every = every ? every->bytes : 0, .mask = mask()};
  }

 private:
  uint8_t mask() const {
    unsigned mask = 0;
    for (const unsigned bit : bits) mask |= 1u << bit;
    return static_cast<uint8_t>(mask);
  }

  static void check_bits(const CorruptKind& corrupt, const json::Value& object, ErrorList& errors) {
    const json::Value* written = object.find("bits");
    if (!written) return;
    if (corrupt.bits.empty()) {
      errors.push_back(
          json::error_at(written->span, "no bit is to be flipped", "name at least one, such as [0]"));
    }
    for (size_t i = 0; i < corrupt.bits.size(); ++i) {
      const auto& at = written->items[i].span;
      const auto here = corrupt.bits.begin() + static_cast<ptrdiff_t>(i);
      if (*here > 7) {
        errors.push_back(json::error_at(at, "a byte has no bit " + std::to_string(*here),
                                        "bits are 0, the least significant, to 7"));
      } else if (std::find(corrupt.bits.begin(), here, *here) != here) {
        errors.push_back(
            json::error_at(at, "bit " + std::to_string(*here) + " is named twice", "name it once"));
      }
    }
  }
};

}  // namespace

FaultKind corrupt_kind() {
  return make_kind<CorruptKind>({
      .name = "corrupt",
      .summary = "Bits are flipped on the way, at the layer you name; TCP's checksums stay right.",
      .details =
          "On the wire: of the named `layer`, the byte behind the first `skip` ones, and with `every` each "
          "so-many-th after it, has its `bits` flipped. No byte is added, lost or moved, and nothing else is "
          "touched: with `payload` and `field_block`, every length, type, flag, pad length and padding stays "
          "right. It is what a broken middlebox or broken memory does, which computes TCP's checksum over "
          "the "
          "wrong bytes. Bits are flipped in what the relay sends, so it is not misled itself. Where a layer "
          "has no byte to hit, nothing is hit and nothing is counted.\n\n"
          "Peers see: of `payload`, gRPC's message prefix (1 octet of flags, 4 of length) or the message: a "
          "wrong value that nobody notices, a message that cannot be parsed (INTERNAL), or, of a wrong "
          "length, one that is too large (RESOURCE_EXHAUSTED) or never complete (DEADLINE_EXCEEDED). Of "
          "`field_block`, HPACK: a block that cannot be decoded ends the connection by COMPRESSION_ERROR, "
          "and "
          "all calls on it (UNAVAILABLE); gRPC C-core's servers do so, its clients reset the stream only "
          "(UNKNOWN) and go on with a table that is wrong. Other blocks decode, to other fields. If a field "
          "that was hit goes into the dynamic table (RFC 7541 §6.2.1), or one that should have gone does "
          "not, "
          "the receiver's table differs from the sender's from then on: later blocks that refer to it decode "
          "wrongly too, on all calls of the connection, also after the fault. Of `frame_header`: with a "
          "wrong "
          "length the receiver takes payload for headers, and the connection ends by FRAME_SIZE_ERROR or "
          "PROTOCOL_ERROR, or waits for the rest of a frame; a wrong stream id or type is a frame for "
          "another "
          "call, or one that is ignored.\n\n"
          "When it ends: nothing more is flipped. What a flipped bit has done to a peer's HPACK table or to "
          "its framing stays until the connection is made anew.\n\n"
          "Sources: RFC 9113 §4.1, §4.3, §5.4.1, §6.1, §6.2, §6.10; RFC 7541 §2.3.2, §6; grpc/grpc "
          "doc/PROTOCOL-HTTP2.md \"Requests\"; Stone and Partridge, When the CRC and TCP Checksum Disagree "
          "(2000).",
      .example =
          R"({ "id": "garbled", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "corrupt", "with": { "layer": "payload", "skip": "20B", "every": "100B", "bits": [0, 7] }, "match": { "direction": "response" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
