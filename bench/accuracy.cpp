// How accurate is the network layer? `bandwidth` rate by rate, timed at the receiver; by how much `latency`
// overshoots, beside a bare timer in the same run; and how soon everything flows once a fault is lifted.
// Bytes on loopback.
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/loopback.h"
#include "bench/table.h"
#include "faults/kinds/kind.h"
#include "faults/relay/network.h"

namespace {

using namespace std::chrono_literals;
using bench::loopback;
using Clock = std::chrono::steady_clock;

struct Nobody final : breakwire::faults::Observer {
  void observe(breakwire::faults::Observation&&) override {}
};

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

  std::unique_ptr<breakwire::relay::ActiveFault> arm(const std::string& kind, const std::string& with,
                                                     bool requests_only = false) {
    breakwire::ErrorList errors;
    const auto decision =
        breakwire::faults::find_fault_kind(kind)->make(*breakwire::json::parse(with, "with.json"), errors);
    breakwire::faults::Match match;
    if (requests_only) match.direction = breakwire::faults::Direction::request;
    using Fault = std::shared_ptr<const breakwire::faults::WireFault>;
    return network_.arm(
        edge_,
        {.id = {"fault"}, .kind = kind, .match = std::move(match), .fault = std::get<Fault>(*decision)});
  }

  /// The rate at which `count` bytes arrive, from the first to the last.
  double rate_of(const std::string& rate, size_t count) {
    const auto narrow = arm("bandwidth", R"({"rate": ")" + rate + R"("})");
    Pair pair = connect();
    std::thread sender([&pair, count] { pair.send(count); });
    pair.receive(1);
    const auto begin = Clock::now();
    pair.receive(count - 1);
    const double seconds = seconds_since(begin);
    sender.join();
    return static_cast<double>(count) / seconds;
  }

  /// From lifting a fault that keeps most of 256 KiB back until the last of them has arrived, in ms.
  double lifted_after_ms(const std::string& kind, const std::string& with) {
    constexpr size_t count = 256 * 1024;
    Pair pair = connect();
    pair.bounce();
    auto fault = arm(kind, with);
    std::thread sender([&pair] { pair.send(count); });
    std::this_thread::sleep_for(50ms);
    const auto begin = Clock::now();
    fault.reset();
    pair.receive(count);
    const double ms = 1e3 * seconds_since(begin);
    sender.join();
    return ms;
  }

  /// How much longer than `delay` a byte was delayed on its way, and how late a bare timer of that length
  /// came, in turn, both in ms.
  std::pair<std::vector<double>, std::vector<double>> overshoot_ms(std::chrono::milliseconds delay,
                                                                   int samples) {
    Pair pair = connect();
    std::vector<double> undelayed, late, timer;
    for (int sample = 0; sample < samples; ++sample) {
      std::this_thread::sleep_for(delay);  // everybody asleep as long as they are when the byte is delayed
      undelayed.push_back(pair.bounce());
    }
    const double base = bench::median(undelayed);
    const auto fault = arm("latency", R"({"delay": ")" + std::to_string(delay.count()) + R"(ms"})", true);
    const double wanted = static_cast<double>(delay.count());
    for (int sample = 0; sample < samples; ++sample) {
      late.push_back(1e3 * (pair.bounce() - base) - wanted);
      std::mutex mutex;
      std::condition_variable never;
      std::unique_lock lock(mutex);
      const auto begin = Clock::now();
      never.wait_until(lock, begin + delay);
      timer.push_back(1e3 * seconds_since(begin) - wanted);
    }
    return {late, timer};
  }

 private:
  /// A connection through the relay, both ends of it.
  class Pair {
   public:
    Pair(int client, int server) : client_(client), server_(server), buffer_(1 << 20) {
      const int on = 1;
      for (const int socket : {client_, server_})
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ~Pair() {
      ::close(client_);
      ::close(server_);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    void send(size_t count) {
      const std::string chunk(256 * 1024, 'x');
      for (size_t sent = 0; sent < count;) {
        const auto n = ::send(client_, chunk.data(), std::min(chunk.size(), count - sent), MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<size_t>(n);
      }
    }
    void receive(size_t count) {
      for (size_t got = 0; got < count;) {
        const auto n = ::recv(server_, buffer_.data(), std::min(buffer_.size(), count - got), 0);
        if (n <= 0) break;
        got += static_cast<size_t>(n);
      }
    }
    /// One byte there and back: seconds.
    double bounce() {
      char byte = 'x';
      const auto begin = Clock::now();
      ::send(client_, &byte, 1, MSG_NOSIGNAL);
      ::recv(server_, &byte, 1, 0);
      ::send(server_, &byte, 1, MSG_NOSIGNAL);
      ::recv(client_, &byte, 1, 0);
      return seconds_since(begin);
    }

   private:
    int client_, server_;
    std::vector<char> buffer_;
  };

  Pair connect() {
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

using bench::number;

void bandwidth(Bench& bench) {
  std::vector<std::vector<std::string>> rows{
      {"bandwidth", "error, median", "least", "greatest", "CPU of the whole process"}};
  struct Case {
    const char* text;
    double per_second;
  };
  for (const Case& one : {Case{"100kB/s", 1e5}, Case{"1MB/s", 1e6}, Case{"10MB/s", 1e7}, Case{"50MB/s", 5e7},
                          Case{"100MB/s", 1e8}}) {
    std::vector<double> errors;
    const double cpu = cpu_seconds();
    const auto begin = Clock::now();
    for (int round = 0; round < 5; ++round)
      errors.push_back(
          100 * (bench.rate_of(one.text, static_cast<size_t>(2 * one.per_second)) / one.per_second - 1));
    std::sort(errors.begin(), errors.end());
    rows.push_back({one.text, number(bench::median(errors), 3) + " %", number(errors.front(), 3) + " %",
                    number(errors.back(), 3) + " %",
                    number(100 * (cpu_seconds() - cpu) / seconds_since(begin), 1) + " %"});
  }
  std::printf("Rate at the receiver over 2 s, 5 rounds\n\n");
  bench::print_table(rows);
}

void latency(Bench& bench) {
  std::vector<std::vector<std::string>> rows{
      {"latency", "overshoot, median, ms", "p99, ms", "bare timer, median, ms", "p99, ms"}};
  for (const auto delay : {1ms, 5ms, 50ms}) {
    const auto [late, timer] = bench.overshoot_ms(delay, delay > 10ms ? 100 : 500);
    rows.push_back({std::to_string(delay.count()) + " ms", number(bench::median(late), 3),
                    number(bench::quantile(late, 0.99), 3), number(bench::median(timer), 3),
                    number(bench::quantile(timer, 0.99), 3)});
  }
  std::printf("One byte there, delayed, and back\n\n");
  bench::print_table(rows);
}

void lifting(Bench& bench) {
  std::vector<std::vector<std::string>> rows{{"lifted", "all there after, median, ms", "greatest, ms"}};
  for (const auto& [kind, with] : {std::pair{"latency", R"({"delay": "30s"})"}, std::pair{"stall", "{}"},
                                   std::pair{"bandwidth", R"({"rate": "100B/s"})"},
                                   std::pair{"slice", R"({"size": "100B", "gap": "50ms"})"}}) {
    std::vector<double> times;
    for (int round = 0; round < 15; ++round) times.push_back(bench.lifted_after_ms(kind, with));
    rows.push_back(
        {kind, number(bench::median(times), 2), number(*std::max_element(times.begin(), times.end()), 2)});
  }
  std::printf("256 KiB under way when the fault is lifted, 15 rounds\n\n");
  bench::print_table(rows);
}

}  // namespace

int main() {
  Bench bench;
  latency(bench);
  lifting(bench);
  bandwidth(bench);
}
