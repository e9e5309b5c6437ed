// How accurate is `bandwidth`? Bytes through a relay on loopback, timed at the receiver, rate by rate; and
// how soon everything flows once it is lifted.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "faults/kinds/kind.h"
#include "faults/relay/network.h"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Nobody final : breakwire::faults::Observer {
  void observe(breakwire::faults::Observation&&) override {}
};

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Bench {
 public:
  Bench() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = network_
                .open({.id = edge_,
                       .upstream = breakwire::relay::TcpAddress{.port = ntohs(address.sin_port)},
                       .protocol = breakwire::relay::EdgeProtocol::tcp})
                .port;
  }
  ~Bench() { ::close(listener_); }

  std::unique_ptr<breakwire::relay::ActiveFault> arm(const std::string& rate) {
    breakwire::ErrorList errors;
    const auto with = breakwire::json::parse(R"({"rate": ")" + rate + R"("})", "with.json");
    const auto decision = breakwire::faults::find_fault_kind("bandwidth")->make(*with, errors);
    using Fault = std::shared_ptr<const breakwire::faults::WireFault>;
    return network_.arm(
        edge_, {.id = {"narrow"}, .kind = "bandwidth", .match = {}, .fault = std::get<Fault>(*decision)});
  }

  /// The rate at which `count` bytes arrive, from the first to the last.
  double rate_of(const std::string& rate, size_t count) {
    const auto narrow = arm(rate);
    const auto [client, server] = connect();
    std::thread sender([client = client, count] {
      const std::string chunk(256 * 1024, 'x');
      for (size_t sent = 0; sent < count;) {
        const auto n = ::send(client, chunk.data(), std::min(chunk.size(), count - sent), MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<size_t>(n);
      }
    });
    std::vector<char> buffer(1 << 20);
    size_t got = static_cast<size_t>(std::max<ssize_t>(0, ::recv(server, buffer.data(), 1, 0)));
    const auto begin = Clock::now();
    while (got < count) {
      const auto n = ::recv(server, buffer.data(), buffer.size(), 0);
      if (n <= 0) break;
      got += static_cast<size_t>(n);
    }
    const double seconds = seconds_since(begin);
    sender.join();
    ::close(client);
    ::close(server);
    return static_cast<double>(got) / seconds;
  }

  /// From lifting a slow rate until what had waited has arrived, in ms.
  double lifted_after_ms() {
    auto narrow = arm("100B/s");
    const auto [client, server] = connect();
    const std::string chunk(60'000, 'x');
    ::send(client, chunk.data(), chunk.size(), 0);
    std::vector<char> buffer(chunk.size());
    size_t got = static_cast<size_t>(std::max<ssize_t>(0, ::recv(server, buffer.data(), 1, 0)));
    std::this_thread::sleep_for(50ms);
    const auto begin = Clock::now();
    narrow.reset();
    while (got < chunk.size()) {
      const auto n = ::recv(server, buffer.data(), buffer.size(), 0);
      if (n <= 0) break;
      got += static_cast<size_t>(n);
    }
    const double ms = 1e3 * seconds_since(begin);
    ::close(client);
    ::close(server);
    return ms;
  }

 private:
  std::pair<int, int> connect() {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = loopback(port_);
    ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return {client, ::accept(listener_, nullptr, nullptr)};
  }

  const breakwire::EdgeId edge_{"bench"};
  Nobody nobody_;
  breakwire::relay::Network network_{nobody_};
  int listener_;
  uint16_t port_ = 0;
};

}  // namespace

int main() {
  Bench bench;
  struct Case {
    const char* text;
    double per_second;
    double seconds;
  };
  for (const Case& one : {Case{"100kB/s", 1e5, 2}, Case{"1MB/s", 1e6, 2}, Case{"10MB/s", 1e7, 2},
                          Case{"50MB/s", 5e7, 2}, Case{"100MB/s", 1e8, 2}}) {
    std::vector<double> errors;
    const double cpu = cpu_seconds();
    const auto begin = Clock::now();
    for (int round = 0; round < 5; ++round) {
      const double rate = bench.rate_of(one.text, static_cast<size_t>(one.per_second * one.seconds));
      errors.push_back(100 * (rate / one.per_second - 1));
    }
    std::sort(errors.begin(), errors.end());
    std::printf("%-9s error: median %+.3f %%, worst %+.3f %% and %+.3f %%; CPU %.1f %%\n", one.text,
                errors[errors.size() / 2], errors.front(), errors.back(),
                100 * (cpu_seconds() - cpu) / seconds_since(begin));
  }
  std::vector<double> lifted;
  for (int round = 0; round < 21; ++round) lifted.push_back(bench.lifted_after_ms());
  std::sort(lifted.begin(), lifted.end());
  std::printf("lifted: the last of 60 kB arrives after %.2f ms (median), %.2f ms (worst)\n",
              lifted[lifted.size() / 2], lifted.back());
}
