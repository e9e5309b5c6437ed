// Field blocks: libnghttp2 decodes what we encode, and the other way round, whatever was lost in between.
#include <gtest/gtest.h>

#include "faults/http2/block_path.h"
#include "tests/faults/http2/bytes.h"

namespace breakwire::http2::testing {
namespace {

using faults::Metadata;
using Outcome = FieldDecoder::Outcome;

/// Decodes the blocks of `frames`, one after the other.
class Peer {
 public:
  std::vector<Metadata> read(const std::string& frames) {
    struct Sink final : FrameSink {
      bool on_preface() override { return true; }
      bool on_data(const DataPiece&) override { return true; }
      bool on_block(const BlockView& block) override {
        Metadata fields;
        EXPECT_EQ(decode(peer->decoder, *block.fragments, 100'000, fields), Outcome::ok);
        found.push_back(fields);
        return true;
      }
      bool on_control(const FrameHeader&, Bytes) override { return true; }
      bool on_ignored(const FrameHeader&) override { return true; }
      void on_violation(Http2Error, const std::string& what) override { FAIL() << what; }
      void on_limit(const char* option) override { FAIL() << option; }
      Peer* peer = nullptr;
      std::vector<Metadata> found;
    } sink;
    sink.peer = this;
    reader.feed(bytes_of(begun ? frames : settings_frame() + frames), sink);
    begun = true;
    return sink.found;
  }
  FieldDecoder decoder;
  FrameReader reader{{}, false};
  bool begun = false;
};

/// A sender whose blocks refer to its dynamic table, and the path they take.
class Sender {
 public:
  FieldBlock block(const Metadata& fields, StreamId id) {
    bytes_ = encoder_.encode(fields);
    frames_.clear();
    append_field_block(frames_, id, bytes_, false, 16'384);
    fragments_ = {bytes_};
    view_ = BlockView{id, false, frames_, &fragments_};
    FieldBlock made(path.arrived(), view_);
    made.keep();
    return made;
  }
  const std::string& frames() const { return frames_; }
  void set_table_limit(uint32_t limit) { encoder_.set_table_limit(limit); }
  BlockPath path;

 private:
  FieldEncoder encoder_{4096};
  std::string bytes_;
  std::string frames_;
  std::vector<std::string_view> fragments_;
  BlockView view_;
};

const Metadata one{{"x-a", "first value of a"}, {"x-b", "value of b"}};
const Metadata two{{"x-a", "first value of a"}, {"x-b", "value of b"}, {"x-c", "c", true}, {"x-c", "d"}};

TEST(BlockPathTest, PassesBlocksVerbatimWhileNothingIsMissing) {
  Sender sender;
  for (StreamId id : {1u, 3u, 5u}) {
    const FieldBlock block = sender.block(two, id);
    std::string out;
    sender.path.write(out, block, two, id, false, 16'384);
    EXPECT_EQ(out, sender.frames());
  }
  EXPECT_FALSE(sender.path.diverged());
}

TEST(BlockPathTest, RenumberedBlocksKeepTheirBytes) {
  Sender sender;
  const FieldBlock block = sender.block(one, 1);
  std::string out;
  sender.path.write(out, block, one, 9, true, 16'384);
  EXPECT_EQ(out.substr(frame_header_size), sender.frames().substr(frame_header_size));
  EXPECT_EQ(parse_frame_header(bytes_of(out).data()).stream, 9u);
  EXPECT_TRUE(parse_frame_header(bytes_of(out).data()).has(flag::end_stream));
  EXPECT_FALSE(sender.path.diverged());
}

TEST(BlockPathTest, AfterAMissingBlockReferencesStillDecode) {
  Sender sender;
  Peer peer;
  std::string out;
  sender.path.write(out, sender.block(one, 1), one, 1, false, 16'384);
  const FieldBlock withheld = sender.block(two, 3);  // never written: its table entries never reach the peer
  sender.path.write(out, sender.block(two, 5), two, 5, false, 16'384);
  sender.path.write(out, sender.block(two, 7), two, 7, false, 16'384);
  EXPECT_TRUE(sender.path.diverged());
  EXPECT_EQ(peer.read(out), (std::vector<Metadata>{one, two, two}));
}

TEST(BlockPathTest, ABlockThatWaitedAloneIsStillVerbatimAndAnOvertakenOneIsNot) {
  Sender sender;
  Peer peer;
  std::string out;
  const FieldBlock waited = sender.block(two, 1);
  sender.path.write(out, waited, two, 1, false, 16'384);
  EXPECT_FALSE(sender.path.diverged());
  const FieldBlock overtaken = sender.block(one, 3);
  sender.path.write(out, sender.block(two, 5), two, 5, false, 16'384);
  sender.path.write(out, overtaken, one, 7, false, 16'384);
  EXPECT_TRUE(sender.path.diverged());
  EXPECT_EQ(peer.read(out), (std::vector<Metadata>{two, two, one}));
}

TEST(BlockPathTest, AnInjectedBlockBeforeDivergenceLeavesTheTableAlone) {
  Sender sender;
  Peer peer;
  std::string out;
  sender.path.write(out, sender.block(one, 1), one, 1, false, 16'384);
  sender.path.inject(out, two, 3, true, 16'384);
  sender.path.write(out, sender.block(one, 5), one, 5, false, 16'384);
  EXPECT_FALSE(sender.path.diverged());
  EXPECT_EQ(peer.read(out), (std::vector<Metadata>{one, two, one}));
}

TEST(BlockPathTest, AfterASmallerTableTheFirstBlockSaysSo) {
  Sender sender;
  Peer peer;
  std::string out;
  sender.path.write(out, sender.block(one, 1), one, 1, false, 16'384);
  EXPECT_EQ(peer.read(out), (std::vector<Metadata>{one}));
  out.clear();
  const FieldBlock old = sender.block(one, 3);  // encoded before the sender knew of the limit, and held
  for (uint32_t limit : {0u, 100u}) {
    sender.set_table_limit(limit);
    sender.path.set_table_limit(limit);
    peer.decoder.set_table_limit(limit);
  }
  sender.path.inject(out, two, 5, true, 16'384);
  EXPECT_EQ(out.substr(frame_header_size, 3), hex("20 3f 45"));  // updates to 0, then 100
  sender.path.write(out, old, one, 3, false, 16'384);
  sender.path.write(out, sender.block(two, 7), two, 7, false, 16'384);
  EXPECT_EQ(peer.read(out), (std::vector<Metadata>{two, one, two}));
}

TEST(FieldEncoderTest, EmptiesTheTableFirst) {
  FieldEncoder encoder(4096);
  EXPECT_EQ(encoder.encode({}), hex("20 3fe11f"));
  EXPECT_EQ(encoder.encode({}), "");
}

TEST(FieldEncoderTest, LiteralsWithoutIndexing) {
  EXPECT_EQ(encode_literally({{"ab", "c"}, {"d", "", true}}),
            hex("00 02") + "ab" + hex("01") + "c" + hex("10 01") + "d" + hex("00"));
  const std::string block = encode_literally({{"n", std::string(300, 'v')}});
  EXPECT_EQ(block.substr(0, 6), hex("00 01") + "n" + hex("7f ad01"));
}

TEST(FieldDecoderTest, StopsAnHpackBombAsItGrows) {
  // One entry of 4000 bytes in the table, then one byte for each repetition.
  std::string bomb = hex("40 01") + "x" + hex("7f a11e") + std::string(4000, 'v');
  bomb += std::string(1000, '\xbe');
  FieldDecoder decoder;
  Metadata fields;
  EXPECT_EQ(decode(decoder, {bomb}, 256 * 1024, fields), Outcome::too_large);
  EXPECT_LT(fields.size(), 66u);
}

TEST(FieldDecoderTest, CountsEmptyFieldsToo) {
  std::string block;
  for (int i = 0; i < 100; ++i) block += hex("00 01") + "x" + hex("00");
  FieldDecoder decoder;
  Metadata fields;
  EXPECT_EQ(decode(decoder, {block}, 100 * 33 - 1, fields), Outcome::too_large);
}

TEST(FieldDecoderTest, NamesWhatIsNoBlock) {
  for (const char* block : {"80", "ff ff ff ff ff ff", "40", "00 05 61", "3f ff ff 03", "be"}) {
    FieldDecoder decoder;
    Metadata fields;
    EXPECT_EQ(decode(decoder, {hex(block)}, 1000, fields), Outcome::compression_error) << block;
  }
}

// gRPC's C-core says only the last of two sizes, though the smaller one has emptied its table.
TEST(FieldDecoderTest, UnderstandsAnEncoderThatSaysOnlyTheLastOfTwoTableSizes) {
  const std::string indexed_a = hex("40 01 61 01 62"), indexed_c = hex("40 01 63 01 64");
  const std::string whole_table = hex("3f e1 1f");
  for (const bool after_a_block : {false, true}) {
    FieldDecoder decoder;
    Metadata fields;
    if (after_a_block) {
      ASSERT_EQ(decode(decoder, {indexed_a}, 1000, fields), Outcome::ok);
    }
    decoder.set_table_limit(0);
    decoder.set_table_limit(4096);
    fields.clear();
    const std::string block = whole_table + indexed_c + hex("be");
    ASSERT_EQ(decode(decoder, {"", block}, 1000, fields), Outcome::ok);
    EXPECT_EQ(fields, (Metadata{{"c", "d"}, {"c", "d"}}));
    EXPECT_EQ(decode(decoder, {hex("bf")}, 1000, fields), Outcome::compression_error) << "it was emptied";
  }
}

TEST(FieldDecoderTest, UnderstandsAnEncoderThatNeverCameToObeyTheSmallerOfTwoTableSizes) {
  FieldDecoder decoder;
  Metadata fields;
  ASSERT_EQ(decode(decoder, {hex("40 01 61 01 62")}, 1000, fields), Outcome::ok);
  decoder.set_table_limit(0);
  decoder.set_table_limit(4096);
  fields.clear();
  ASSERT_EQ(decode(decoder, {hex("be")}, 1000, fields), Outcome::ok);
  EXPECT_EQ(fields, (Metadata{{"a", "b"}}));
}

TEST(FieldDecoderTest, AnEncoderThatSaysNothingOfASmallerTableIsWrong) {
  FieldDecoder decoder;
  Metadata fields;
  ASSERT_EQ(decode(decoder, {hex("40 01 61 01 62")}, 1000, fields), Outcome::ok);
  decoder.set_table_limit(0);
  EXPECT_EQ(decode(decoder, {hex("40 01 63 01 64")}, 1000, fields), Outcome::compression_error);
}

TEST(FieldDecoderTest, ReadsAFieldCutAnywhere) {
  const std::string block = encode_literally(two);
  for (size_t cut = 0; cut <= block.size(); ++cut) {
    FieldDecoder decoder;
    Metadata fields;
    EXPECT_EQ(decode(decoder, {std::string_view(block).substr(0, cut), std::string_view(block).substr(cut)},
                     1000, fields),
              Outcome::ok);
    EXPECT_EQ(fields, two);
  }
}

}  // namespace
}  // namespace breakwire::http2::testing
