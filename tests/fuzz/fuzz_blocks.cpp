// Sends hostile field blocks along one direction of a connection (RELAY.md rule 1), where some are passed on
// as they came, some edited, some dropped, some are the relay's own, and checks what no input may break:
// whatever the relay can decode, the receiver behind it decodes to the fields that it was meant to get.
#include <functional>
#include <optional>

#include "faults/http2/block_path.h"
#include "faults/http2/hpack.h"
#include "tests/faults/http2/fuzz_input.h"
#include "tests/faults/http2/fuzz_peers.h"

namespace breakwire::http2::testing {
namespace {

constexpr StreamId stream = 1;
constexpr size_t list_limit = 8'192;

/// What a reader finds: one block after another.
class Blocks final : public FrameSink {
 public:
  using Handle = std::function<void(const BlockView&)>;
  Blocks(ReaderLimits limits, Handle handle) : reader_(limits, false), handle_(std::move(handle)) {
    read(settings_frame());
  }
  void read(std::string_view bytes) { reader_.feed(bytes_of(bytes), *this); }
  bool on_preface() override { return true; }
  bool on_data(const DataPiece&) override { return true; }
  bool on_block(const BlockView& block) override {
    handle_(block);
    return true;
  }
  bool on_control(const FrameHeader&, Bytes) override { return true; }
  bool on_ignored(const FrameHeader&) override { return true; }
  void on_violation(Http2Error, const std::string& what) override { must(false, what.c_str()); }
  void on_limit(const char* option) override { must(false, option); }

 private:
  FrameReader reader_;
  Handle handle_;
};

/// A sender, the relay, and the receiver behind it.
class Crossing {
 public:
  enum class Fate { verbatim, renumbered, edited, dropped };

  /// False once the relay would have ended the connection.
  bool alive() const { return alive_; }
  void send(Bytes block, Fate fate, uint32_t max_frame_size) {
    fate_ = fate;
    std::string frames;
    append_field_block(frames, stream, {reinterpret_cast<const char*>(block.data()), block.size()}, false,
                       max_frame_size);
    from_sender_.read(frames);
  }
  void inject() {
    const faults::Metadata fields{{":status", "200"}, {"grpc-status", "14", true}, {"grpc-message", "busy"}};
    std::string out;
    path_.inject(out, fields, stream, true, default_frame_size);
    deliver(out, fields);
  }
  /// The receiver announced another table size, and everybody has acknowledged it.
  void limit_table(uint32_t size) {
    decoder_.set_table_limit(size);
    path_.set_table_limit(size);
    receiver_.set_table_limit(size);
  }

 private:
  void pass(const BlockView& block) {
    faults::Metadata fields;
    if (decode(decoder_, *block.fragments, list_limit, fields) != FieldDecoder::Outcome::ok) {
      alive_ = false;
      return;
    }
    const FieldBlock arrived(path_.arrived(), block);
    std::string out;
    switch (fate_) {
      case Fate::verbatim:
        path_.write(out, arrived, fields, stream, false, default_frame_size);
        break;
      case Fate::renumbered:
        path_.write(out, arrived, fields, stream + 2, true, default_frame_size);
        break;
      case Fate::edited:
        fields.push_back({"x-edited", "yes"});
        path_.write_edited(out, fields, stream, false, default_frame_size);
        break;
      case Fate::dropped:
        return;
    }
    deliver(out, fields);
  }
  void deliver(const std::string& frames, const faults::Metadata& fields) {
    received_.reset();
    to_receiver_.read(frames);
    must(received_.has_value() && received_->size() == fields.size(), "the receiver gets other fields");
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto& sent = fields[i];
      const auto& got = (*received_)[i];
      must(got.name == sent.name && got.value == sent.value, "the receiver gets other fields");
      // nghttp2 adds it to credentials (RFC 7541 §7.1.3); it must not be lost.
      must(got.never_indexed || !sent.never_indexed, "a field may be indexed that must not");
    }
  }

  FieldDecoder decoder_;
  BlockPath path_;
  FieldDecoder receiver_;
  Fate fate_ = Fate::verbatim;
  bool alive_ = true;
  std::optional<faults::Metadata> received_;
  Blocks from_sender_{{1u << 20, 1000}, [this](const BlockView& block) { pass(block); }};
  Blocks to_receiver_{
      {1u << 20, 1000}, [this](const BlockView& block) {
        received_.emplace();
        must(decode(receiver_, *block.fragments, 1u << 24, *received_) == FieldDecoder::Outcome::ok,
             "a block does not decode");
      }};
};

void fuzz_blocks(const uint8_t* data, size_t size) {
  Input input(data, size);
  Crossing crossing;
  while (!input.empty() && crossing.alive()) {
    const uint8_t what = input.byte();
    switch (what % 8) {
      case 6:
        crossing.inject();
        break;
      case 7:
        crossing.limit_table(std::min<uint32_t>(input.byte() * 20u, default_table_size));
        break;
      default: {
        constexpr Crossing::Fate fates[] = {Crossing::Fate::verbatim, Crossing::Fate::verbatim,
                                            Crossing::Fate::verbatim, Crossing::Fate::renumbered,
                                            Crossing::Fate::edited,   Crossing::Fate::dropped};
        const uint32_t cut = what & 0x80 ? 7 : default_frame_size;  // many CONTINUATIONs
        crossing.send(input.run(input.byte()), fates[what % 8], cut);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace breakwire::http2::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  breakwire::http2::testing::fuzz_blocks(data, size);
  return 0;
}
