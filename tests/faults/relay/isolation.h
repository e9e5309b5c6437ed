// What the tests of dead paths share: two connected peers, and whether packets can be lost here.
#pragma once

#include <linux/capability.h>
#include <linux/filter.h>
#include <sys/syscall.h>

#include <array>
#include <string>

#include "tests/faults/relay/real_kinds.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {

/// Found out without the code under test: attaching a filter is all that can be refused.
inline bool packets_can_be_lost_here() {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sock_filter nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program{.len = 1, .filter = &nothing};
  return ::setsockopt(socket.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

/// Takes CAP_NET_ADMIN from this thread, and from those it starts, for as long as it lives.
class WithoutRights {
 public:
  WithoutRights() {
    ::syscall(SYS_capget, &header_, before_.data());
    auto less = before_;
    less[0].effective &= ~(1u << CAP_NET_ADMIN);
    ::syscall(SYS_capset, &header_, less.data());
  }
  ~WithoutRights() { ::syscall(SYS_capset, &header_, before_.data()); }

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

/// Waits until the kernel counts nothing as unacknowledged.
inline bool all_acknowledged(const Socket& socket) {
  for (const auto end = Clock::now() + patience; Clock::now() < end; ::poll(nullptr, 0, 1)) {
    if (socket.info().tcpi_unacked == 0) return true;
  }
  return false;
}

class Connected : public RelayTest {
 protected:
  void connect() {
    port = open(upstream.port());
    client = dial(port);
    server = upstream.accept();
    ASSERT_TRUE(client.send("x"));
    ASSERT_EQ(server.receive(1), "x");
    ASSERT_TRUE(server.send("y"));
    ASSERT_EQ(client.receive(1), "y");
  }

  auto blackhole(faults::Match match = {}) { return arm("blackhole", of_kind("blackhole"), match); }
  auto half_open(const std::string& direction, faults::Match match = {}) {
    return arm("half_open", of_kind("half_open", R"({"direction": ")" + direction + "\"}"), match);
  }
  std::string actions() const {
    std::string all;
    for (const auto& hit : recorder.all<faults::FaultHit>()) all += hit.action + " ";
    return all;
  }

  Listener upstream;
  uint16_t port = 0;
  Socket client;
  Socket server;
};

}  // namespace breakwire::relay::testing
