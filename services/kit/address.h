#pragma once
// HOST:PORT as flags spell it. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace breakwire::kit {

struct Address {
  std::string host;
  int port = 0;
  bool operator==(const Address&) const = default;
};

/// "127.0.0.1:5000", "localhost:0", "[::1]:80"; nothing when the host is empty or the port is not 0..65535.
std::optional<Address> parse_address(std::string_view text);

}  // namespace breakwire::kit
