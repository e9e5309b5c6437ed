#include "tests/faults/interop/seen.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/json.h"

namespace breakwire::interop {
namespace {

/// CRC-32 as zlib has it.
uint32_t crc_of(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) {
    digits += "0123456789abcdef"[static_cast<uint8_t>(byte) >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

std::string text_of(const faults::Metadata& metadata) {
  std::string text;
  for (const auto& field : metadata) text += "\n    " + field.name + ": " + field.value;
  return text;
}

std::string text_of(const std::vector<Message>& messages) {
  std::ostringstream text;
  for (const auto& message : messages) {
    text << "\n    " << message.size << " bytes, crc " << message.crc;
    if (message.compressed) text << (*message.compressed ? ", compressed" : ", uncompressed");
  }
  return text.str();
}

faults::Metadata metadata_in(const json::Value& line, std::string_view key) {
  faults::Metadata metadata;
  for (const auto& field : line.find(key)->items) {
    metadata.push_back({field.items.at(0).text, field.items.at(1).text});
  }
  return metadata;
}

std::vector<Message> messages_in(const json::Value& line, std::string_view key) {
  std::vector<Message> messages;
  for (const auto& message : line.find(key)->items) {
    messages.push_back({.size = static_cast<uint64_t>(message.items.at(0).number),
                        .crc = static_cast<uint32_t>(message.items.at(1).number)});
  }
  return messages;
}

}  // namespace

std::string payload(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 / 7 + i / 1000);
  return bytes;
}

Message message_of(const google::protobuf::MessageLite& message, std::optional<bool> compressed) {
  const std::string bytes = message.SerializeAsString();
  return {.size = bytes.size(), .crc = crc_of(bytes), .compressed = compressed};
}

void PrintTo(const CallerSaw& saw, std::ostream* out) {
  *out << "status " << saw.code << " `" << saw.message << "`\n  initial metadata:" << text_of(saw.initial)
       << "\n  trailing metadata:" << text_of(saw.trailing) << "\n  responses:" << text_of(saw.responses);
}

void PrintTo(const CalleeSaw& saw, std::ostream* out) {
  *out << saw.method << " at `" << saw.authority << (saw.cancelled ? "`, cancelled" : "`")
       << "\n  metadata:" << text_of(saw.metadata) << "\n  requests:" << text_of(saw.requests);
}

faults::Field field_of(std::string_view name, std::string_view value) {
  return {std::string(name), name.ends_with("-bin") ? hexadecimal(value) : std::string(value)};
}

void Log::add(const std::string& run, const std::string& call, CallerSaw saw) {
  const std::lock_guard lock(mutex_);
  callers_[{run, call}] = std::move(saw);
}

void Log::add(const std::string& run, const std::string& call, CalleeSaw saw) {
  const std::lock_guard lock(mutex_);
  callees_[{run, call}] = std::move(saw);
}

void Log::read(const std::string& lines) {
  std::istringstream in(lines.substr(0, lines.rfind('\n') + 1));
  for (std::string text; std::getline(in, text);) {
    const auto line = json::parse(text, "lines");
    ASSERT_TRUE(line) << text;
    const std::string& side = line->find("side")->text;
    if (side == "caller") {
      add(line->find("run")->text, line->find("call")->text,
          CallerSaw{.code = static_cast<int>(line->find("code")->number),
                    .message = line->find("message")->text,
                    .initial = metadata_in(*line, "initial"),
                    .trailing = metadata_in(*line, "trailing"),
                    .responses = messages_in(*line, "responses")});
    } else if (side == "callee") {
      add(line->find("run")->text, line->find("call")->text,
          CalleeSaw{.method = line->find("method")->text,
                    .authority = line->find("authority")->text,
                    .metadata = metadata_in(*line, "metadata"),
                    .requests = messages_in(*line, "requests"),
                    .cancelled = line->find("cancelled")->boolean});
    }
  }
}

std::optional<CallerSaw> Log::caller(const std::string& run, const std::string& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = callers_.find({run, call});
  return found == callers_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<CalleeSaw> Log::callee(const std::string& run, const std::string& call) const {
  const std::lock_guard lock(mutex_);
  const auto found = callees_.find({run, call});
  return found == callees_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace breakwire::interop
