#include "tests/faults/transparency/hpack_writer.h"

#include <algorithm>
#include <array>
#include <map>

namespace breakwire::http2::testing {
namespace {

constexpr size_t static_entries = 61;
/// Of the static table (RFC 7541 Appendix A), what our senders have a use for.
struct StaticEntry {
  size_t index;
  const char* name;
  const char* value;
};
constexpr StaticEntry statics[] = {
    {1, ":authority", ""},     {2, ":method", "GET"},      {3, ":method", "POST"},
    {4, ":path", "/"},         {6, ":scheme", "http"},     {7, ":scheme", "https"},
    {8, ":status", "200"},     {9, ":status", "204"},      {13, ":status", "404"},
    {14, ":status", "500"},    {15, "accept-charset", ""}, {16, "accept-encoding", "gzip, deflate"},
    {23, "authorization", ""}, {28, "content-length", ""}, {31, "content-type", ""},
    {32, "cookie", ""},        {55, "set-cookie", ""},     {58, "user-agent", ""}};

/// The lengths of the codes of Appendix B for ' ' to '~'. The code is canonical and no code of up to 15 bits
/// belongs to anything else, but for the octet 0 (13 bits): so these say it all. 0: longer, not used here.
constexpr uint8_t code_lengths[] = {6, 10, 10, 12, 13, 6,  8, 11, 10, 10, 8, 11, 8,  6,  6, 6,  5,  5,  5,
                                    6, 6,  6,  6,  6,  6,  6, 7,  8,  15, 6, 12, 10, 13, 6, 7,  7,  7,  7,
                                    7, 7,  7,  7,  7,  7,  7, 7,  7,  7,  7, 7,  7,  7,  7, 7,  7,  7,  8,
                                    7, 8,  13, 0,  13, 14, 6, 15, 5,  6,  5, 6,  5,  6,  6, 6,  5,  7,  7,
                                    6, 6,  6,  5,  6,  7,  6, 5,  5,  6,  7, 7,  7,  7,  7, 15, 11, 14, 13};
static_assert(std::size(code_lengths) == 95);

struct Code {
  uint32_t bits = 0;
  uint8_t length = 0;
};

std::array<Code, 128> make_codes() {
  std::array<uint8_t, 128> lengths{};
  lengths[0] = 13;
  std::copy(std::begin(code_lengths), std::end(code_lengths), lengths.begin() + ' ');
  std::array<Code, 128> codes{};
  uint32_t next = 0;
  for (uint8_t length = 5; length <= 15; ++length) {
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] == length) codes[symbol] = {next++, length};
    }
    next <<= 1;
  }
  return codes;
}

void integer(std::string& out, uint8_t pattern, uint32_t prefix, size_t number) {
  const size_t most = (1u << prefix) - 1;
  if (number < most) {
    out.push_back(static_cast<char>(pattern | number));
    return;
  }
  out.push_back(static_cast<char>(pattern | most));
  for (number -= most; number >= 128; number /= 128) out.push_back(static_cast<char>(number % 128 + 128));
  out.push_back(static_cast<char>(number));
}

/// Nothing when some octet has no code here.
std::optional<std::string> huffman(const std::string& text) {
  static const auto codes = make_codes();
  std::string out;
  uint64_t bits = 0;
  size_t count = 0;
  for (const char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    if (octet >= codes.size() || codes[octet].length == 0) return std::nullopt;
    bits = (bits << codes[octet].length) | codes[octet].bits;
    for (count += codes[octet].length; count >= 8; count -= 8) {
      out.push_back(static_cast<char>(bits >> (count - 8)));
    }
  }
  if (count > 0) out.push_back(static_cast<char>((bits << (8 - count)) | (0xffu >> count)));
  return out;
}

}  // namespace

void HpackWriter::set_limit(uint32_t limit) {
  limit_ = limit;
  if (limit < size_) smallest_ = std::min(limit, smallest_.value_or(limit));
}

void HpackWriter::resize(std::string& out, uint32_t size) {
  integer(out, 0x20, 5, size);
  size_ = size;
  evict();
}

void HpackWriter::evict() {
  while (used_ > size_) {
    used_ -= table_.back().size();
    table_.pop_back();
  }
}

size_t HpackWriter::index_of(const faults::Field& field) const {
  for (size_t i = 0; i < table_.size(); ++i) {
    if (table_[i].name == field.name && table_[i].value == field.value) return static_entries + 1 + i;
  }
  for (const StaticEntry& entry : statics) {
    if (field.name == entry.name && field.value == entry.value) return entry.index;
  }
  return 0;
}

size_t HpackWriter::index_of_name(const std::string& name) const {
  for (size_t i = 0; i < table_.size(); ++i) {
    if (table_[i].name == name) return static_entries + 1 + i;
  }
  for (const StaticEntry& entry : statics) {
    if (name == entry.name) return entry.index;
  }
  return 0;
}

void HpackWriter::text(std::string& out, const std::string& text) {
  const auto coded = pick(2) == 0 ? huffman(text) : std::nullopt;
  integer(out, coded ? 0x80 : 0, 7, coded ? coded->size() : text.size());
  out += coded ? *coded : text;
}

void HpackWriter::literal(std::string& out, uint8_t pattern, uint8_t prefix, const faults::Field& field) {
  const size_t name = pick(4) == 0 ? 0 : index_of_name(field.name);
  integer(out, pattern, prefix, name);
  if (name == 0) text(out, field.name);
  text(out, field.value);
}

std::string HpackWriter::block(const faults::Metadata& fields) {
  std::string out;
  if (smallest_) {
    resize(out, *smallest_);
    if (pick(2) == 0) resize(out, limit_);
    smallest_.reset();
  } else if (pick(8) == 0) {
    if (pick(2) == 0) resize(out, 0);
    resize(out, pick(2) == 0 ? limit_ : static_cast<uint32_t>(pick(uint64_t{limit_} + 1)));
  }
  for (const faults::Field& field : fields) {
    if (field.never_indexed) {
      literal(out, 0x10, 4, field);
      continue;
    }
    if (const size_t index = index_of(field); index != 0 && pick(4) != 0) {
      integer(out, 0x80, 7, index);
      continue;
    }
    if (pick(3) == 0) {
      literal(out, 0x00, 4, field);
      continue;
    }
    literal(out, 0x40, 6, field);
    table_.push_front({field.name, field.value});
    used_ += table_.front().size();
    evict();
  }
  return out;
}

}  // namespace breakwire::http2::testing
