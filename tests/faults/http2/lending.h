// Feeds a session from memory that is gone right after, as the relay does from its read buffer.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "faults/http2/session.h"

namespace breakwire::http2::testing {

/// For every other piece from a side the output is taken while the bytes are there, else the session keeps
/// it.
class Lender {
 public:
  /// What was taken. With `may_take` false nothing is: the peers do not read.
  std::map<Side, std::string> receive(Session& session, Side from, std::span<const uint8_t> bytes,
                                      Instant now, bool may_take = true) {
    const std::vector<uint8_t> lent(bytes.begin(), bytes.end());
    session.receive_lent(from, lent, now);
    std::map<Side, std::string> taken;
    bool& takes = takes_[from];
    if (may_take) takes = !takes;
    if (may_take && takes) {
      for (const Side to : {Side::upstream, Side::downstream}) {
        const Gathered output = session.gather_output(to);
        taken[to] = output.flat();
      }
    } else {
      session.keep_output();
    }
    return taken;
  }

 private:
  std::map<Side, bool> takes_;
};

}  // namespace breakwire::http2::testing
