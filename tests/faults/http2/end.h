// What speaks at one end of a connection, whatever carries its bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace breakwire::http2::testing {

class End {
 public:
  virtual ~End() = default;
  /// What it wants to send, all of it.
  virtual std::string output() = 0;
  virtual void input(std::span<const uint8_t> bytes) = 0;
};

}  // namespace breakwire::http2::testing
