#include "faults/http2/hpack.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <new>

#include "faults/http2/frame.h"

namespace breakwire::http2 {
namespace {

constexpr size_t field_overhead = 32;

/// An integer (RFC 7541 §5.1): its first byte has `pattern` in the bits above those of `prefix`.
void append_integer(std::string& out, uint8_t pattern, size_t prefix, size_t number) {
  if (number < prefix) {
    out.push_back(static_cast<char>(pattern | number));
    return;
  }
  out.push_back(static_cast<char>(pattern | prefix));
  for (number -= prefix; number >= 0x80; number >>= 7) {
    out.push_back(static_cast<char>(0x80 | (number & 0x7f)));
  }
  out.push_back(static_cast<char>(number));
}

void append_length(std::string& out, size_t length) { append_integer(out, 0, 0x7f, length); }

/// RFC 7541 §6.3.
bool begins_with_size_update(const std::vector<std::string_view>& fragments) {
  const auto first =
      std::find_if(fragments.begin(), fragments.end(), [](std::string_view part) { return !part.empty(); });
  return first != fragments.end() && (static_cast<uint8_t>(first->front()) & 0xe0) == 0x20;
}

}  // namespace

FieldDecoder::FieldDecoder() = default;
FieldDecoder::~FieldDecoder() = default;
FieldDecoder::FieldDecoder(FieldDecoder&&) noexcept = default;

void FieldDecoder::Free::operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }

void FieldDecoder::set_table_limit(uint32_t limit) {
  owed_ = std::min(limit, owed_.value_or(limit));
  limit_ = limit;
}

/// Between two blocks only the smallest limit and the last matter (RFC 7541 §4.2).
void FieldDecoder::obey_limits(bool update_follows) {
  if (update_follows && *owed_ < limit_) {
    nghttp2_hd_inflate_change_table_size(inflater_.get(), *owed_);
    say_table_size(*owed_);
  }
  nghttp2_hd_inflate_change_table_size(inflater_.get(), limit_);
  owed_.reset();
}

/// As if the block began with it.
void FieldDecoder::say_table_size(uint32_t size) {
  std::string update;
  append_table_size_updates(update, size, size);
  nghttp2_nv unused;
  int flags = 0;
  nghttp2_hd_inflate_hd2(inflater_.get(), &unused, &flags, reinterpret_cast<const uint8_t*>(update.data()),
                         update.size(), 0);
}

uint32_t FieldDecoder::table_size() const {
  if (!inflater_) return default_table_size;
  return static_cast<uint32_t>(nghttp2_hd_inflate_get_max_dynamic_table_size(inflater_.get()));
}

FieldDecoder::Outcome FieldDecoder::decode(const std::vector<std::string_view>& fragments, size_t limit,
                                           FieldSection& fields) {
  fields.clear();
  if (!inflater_) {
    nghttp2_hd_inflater* raw = nullptr;
    if (nghttp2_hd_inflate_new(&raw) != 0) throw std::bad_alloc();
    inflater_.reset(raw);
  }
  size_t total = 0;
  if (owed_) obey_limits(begins_with_size_update(fragments));
  for (size_t i = 0; i < fragments.size(); ++i) {
    const bool final = i + 1 == fragments.size();
    const auto* in = reinterpret_cast<const uint8_t*>(fragments[i].data());
    size_t left = fragments[i].size();
    for (;;) {
      nghttp2_nv nv;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &nv, &flags, in, left, final);
      if (used < 0) return Outcome::compression_error;
      in += used;
      left -= static_cast<size_t>(used);
      if (flags & NGHTTP2_HD_INFLATE_EMIT) {
        total += nv.namelen + nv.valuelen + field_overhead;
        if (total > limit) return Outcome::too_large;
        fields.add({reinterpret_cast<const char*>(nv.name), nv.namelen},
                   {reinterpret_cast<const char*>(nv.value), nv.valuelen},
                   (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
      }
      if (flags & NGHTTP2_HD_INFLATE_FINAL) {
        nghttp2_hd_inflate_end_headers(inflater_.get());
        return Outcome::ok;
      }
      if (left == 0 && !(flags & NGHTTP2_HD_INFLATE_EMIT)) {
        if (final) return Outcome::compression_error;  // ends in the middle of a field
        break;
      }
    }
  }
  return Outcome::compression_error;
}

FieldEncoder::FieldEncoder(uint32_t table_limit) {
  nghttp2_hd_deflater* raw = nullptr;
  if (nghttp2_hd_deflate_new(&raw, table_limit) != 0) throw std::bad_alloc();
  deflater_.reset(raw);
  // Both size updates are emitted with the first block; the smaller one empties the peer's table.
  nghttp2_hd_deflate_change_table_size(raw, 0);
  nghttp2_hd_deflate_change_table_size(raw, table_limit);
}
FieldEncoder::~FieldEncoder() = default;
FieldEncoder::FieldEncoder(FieldEncoder&&) noexcept = default;

void FieldEncoder::Free::operator()(nghttp2_hd_deflater* deflater) const { nghttp2_hd_deflate_del(deflater); }

void FieldEncoder::set_table_limit(uint32_t limit) {
  nghttp2_hd_deflate_change_table_size(deflater_.get(), limit);
}

std::string FieldEncoder::encode(const faults::Metadata& fields) {
  std::vector<nghttp2_nv> nva;
  nva.reserve(fields.size());
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 only reads them
  };
  for (const auto& field : fields) {
    nva.push_back(
        {bytes(field.name), bytes(field.value), field.name.size(), field.value.size(),
         static_cast<uint8_t>(field.never_indexed ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)});
  }
  std::string out(nghttp2_hd_deflate_bound(deflater_.get(), nva.data(), nva.size()), '\0');
  const ssize_t n = nghttp2_hd_deflate_hd(deflater_.get(), reinterpret_cast<uint8_t*>(out.data()), out.size(),
                                          nva.data(), nva.size());
  if (n < 0) throw std::bad_alloc();
  out.resize(static_cast<size_t>(n));
  return out;
}

std::string encode_literally(const faults::Metadata& fields) {
  std::string out;
  for (const auto& field : fields) {
    out.push_back(field.never_indexed ? 0x10 : 0x00);
    append_length(out, field.name.size());
    out.append(field.name);
    append_length(out, field.value.size());
    out.append(field.value);
  }
  return out;
}

void append_table_size_updates(std::string& out, uint32_t smallest, uint32_t last) {
  append_integer(out, 0x20, 0x1f, smallest);
  if (last != smallest) append_integer(out, 0x20, 0x1f, last);
}

}  // namespace breakwire::http2
