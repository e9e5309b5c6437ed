// Which bytes of a serialised stream a fault flips, counted by layer. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "faults/action.h"

namespace breakwire::relay {

/// For one direction of a connection. Every fault counts the bytes of its layer for itself, from the first
/// chunk that it is shown, across chunks. Bytes change their bits, never their number or order; which bytes
/// are of which layer is decided before any of the faults of one call has changed them.
///
/// The layers are those of RFC 9113: a frame's header (§4.1); of DATA what is neither pad length nor padding
/// (§6.1); of HEADERS and CONTINUATION the field block fragment, without pad length, priority and padding
/// (§6.2, §6.10).
class Corrupter {
 public:
  struct Order {
    FaultId by;
    faults::Corrupt how;
  };
  struct Hit {
    FaultId by;
    size_t bytes = 0;  // how many were changed
  };

  /// Flips bits of a chunk whose first byte is the stream's byte number `position`. With `http2` it consists
  /// of whole frames, the first perhaps behind the client's preface; else every byte is payload. Of the first
  /// `gone` bytes nothing is counted or changed. A fault that was shown a chunk before leaves it alone.
  /// Answers the faults that changed something.
  std::vector<Hit> apply(const std::vector<Order>& orders, std::span<char> chunk, uint64_t position,
                         bool http2, size_t gone = 0);
  /// The fault is over.
  void forget(const FaultId& by);

 private:
  struct Count {
    FaultId by;
    uint64_t of_layer = 0;     // bytes so far
    uint64_t shown_until = 0;  // position
  };
  std::vector<Count> counts_;
};

}  // namespace breakwire::relay
