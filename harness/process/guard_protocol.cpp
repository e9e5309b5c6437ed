#include "harness/process/guard_protocol.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace breakwire::process {
namespace {

using namespace message;

template <class M, class T>
constexpr bool is = std::is_same_v<std::remove_const_t<M>, T>;

// The order of the fields on the wire; one line per message.
template <class M>
auto fields_of(M& m) {
  if constexpr (is<M, Spawn>)
    return std::tie(m.process, m.argv, m.env, m.cwd, m.log_path, m.change_user, m.uid, m.gid);
  if constexpr (is<M, Signal>) return std::tie(m.process, m.request, m.signo, m.tree);
  if constexpr (is<M, MakeDirectory>) return std::tie(m.request, m.parent);
  if constexpr (is<M, ForgetDirectory>) return std::tie(m.path);
  if constexpr (is<M, Ready>) return std::tie(m.guard_pid);
  if constexpr (is<M, Spawned>) return std::tie(m.process, m.pid);
  if constexpr (is<M, SpawnFailed>) return std::tie(m.process, m.step, m.error);
  if constexpr (is<M, Signalled>) return std::tie(m.process, m.request, m.receivers);
  if constexpr (is<M, Exited>) return std::tie(m.process, m.pid, m.code, m.signo, m.time_ns);
  if constexpr (is<M, OrphanReaped>) return std::tie(m.process, m.pid);
  if constexpr (is<M, TreeGone>) return std::tie(m.process);
  if constexpr (is<M, DirectoryMade>) return std::tie(m.request, m.path, m.error);
}

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// Numbers in the machine's own order: both ends run on it.
void put(std::string& out, Number auto value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put(std::string& out, const std::string& text) {
  put(out, static_cast<uint32_t>(text.size()));
  out += text;
}
void put(std::string& out, const std::vector<std::string>& texts) {
  put(out, static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) put(out, text);
}

bool take(std::string_view& in, Number auto& value) {
  if (in.size() < sizeof value) return false;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return true;
}
bool take(std::string_view& in, bool& value) {
  uint8_t byte = 0;
  if (!take(in, byte)) return false;
  value = byte != 0;
  return true;
}
bool take(std::string_view& in, std::string& text) {
  uint32_t size = 0;
  if (!take(in, size) || in.size() < size) return false;
  text.assign(in.substr(0, size));
  in.remove_prefix(size);
  return true;
}
bool take(std::string_view& in, std::vector<std::string>& texts) {
  uint32_t count = 0;
  if (!take(in, count) || in.size() < count) return false;
  texts.resize(count);
  for (std::string& text : texts)
    if (!take(in, text)) return false;
  return true;
}

template <size_t... index>
std::optional<Message> decode_as(size_t kind, std::string_view bytes, std::index_sequence<index...>) {
  std::optional<Message> result;
  const auto attempt = [&]<class M>(M m) {
    const bool whole = std::apply([&](auto&... field) { return (take(bytes, field) && ...); }, fields_of(m));
    if (whole && bytes.empty()) result = std::move(m);
  };
  ((kind == index ? attempt(std::variant_alternative_t<index, Message>{}) : void()), ...);
  return result;
}

}  // namespace

std::string encode(const Message& message) {
  std::string out;
  put(out, static_cast<uint8_t>(message.index()));
  std::visit(
      [&](const auto& m) { std::apply([&](const auto&... field) { (put(out, field), ...); }, fields_of(m)); },
      message);
  return out;
}

std::optional<Message> decode(std::string_view bytes) {
  uint8_t kind = 0;
  if (!take(bytes, kind)) return std::nullopt;
  return decode_as(kind, bytes, std::make_index_sequence<std::variant_size_v<Message>>{});
}

bool send_message(int socket, const Message& message) {
  const std::string bytes = encode(message);
  ssize_t sent = 0;
  do {
    sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

std::optional<Message> receive_message(int socket) {
  std::string bytes;
  while (true) {
    // The first look learns the size of the packet, the second takes it.
    const ssize_t size = ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    bytes.resize(static_cast<size_t>(size));
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    if (auto message = decode(std::string_view(bytes).substr(0, static_cast<size_t>(got)))) return message;
  }
}

}  // namespace breakwire::process
