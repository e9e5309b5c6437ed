// What everything on the data-plane thread shares. One thread touches it; nothing in it is locked.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdint>

#include "faults/http2/workspace.h"
#include "faults/observation.h"
#include "faults/relay/hangup_watch.h"
#include "faults/relay/overhead_meter.h"
#include "faults/relay/packet_filter.h"

namespace breakwire::relay {

struct Plane {
  explicit Plane(faults::Observer& to) : observer(to) {}

  boost::asio::io_context io{1};
  faults::Observer& observer;
  HangupWatch hangups{io};
  OverheadMeter overhead;
  PacketFilters filters;
  http2::Workspace workspace;
  std::array<uint8_t, 256 * 1024> scratch;  // bytes just read; used up before the next read
  uint64_t last_connection = 0;
  Instant last_settled;  // when a connection had its turn
};

/// The run's one clock.
inline Instant clock_now() { return std::chrono::steady_clock::now(); }

}  // namespace breakwire::relay
