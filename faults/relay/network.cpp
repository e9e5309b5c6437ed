// The data-plane thread, and the way in from other threads.
#include "faults/relay/network.h"

#include <pthread.h>

#include <boost/asio.hpp>
#include <cassert>
#include <csignal>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "faults/relay/edge.h"

namespace breakwire::relay {
namespace {

/// Everything on the data-plane thread. Faults in force share it, so that healing one is always possible,
/// even after the network is gone.
class Core {
 public:
  explicit Core(faults::Observer& observer)
      : plane_(observer), idle_(plane_.io.get_executor()), thread_([this] { run_data_plane(); }) {}

  /// Runs `work` on the data-plane thread and waits for it; what it throws comes back.
  template <class Work>
  auto run(Work work) {
    assert(std::this_thread::get_id() != thread_id_ && "an Observer must not call back into the network");
    const std::lock_guard one_at_a_time(mutex_);
    if (stopped_) return work();  // the thread is gone; the mutex is all there is to share
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    asio::post(plane_.io, [&task] { task(); });
    return result.get();
  }

  void stop() {
    run([this] {
      for (auto& [id, edge] : edges_) edge->close();
      plane_.hangups.stop();
      idle_.reset();
    });
    thread_.join();  // every handler has run
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }

  TcpAddress open(EdgeOptions options) {
    auto upstream = endpoints_of(options.upstream);
    return run([&] {
      const auto id = options.id;
      if (edges_.contains(id)) throw std::invalid_argument("edge `" + id.text + "` is open already");
      auto edge = std::make_unique<Edge>(plane_, std::move(options), std::move(upstream));
      return edges_.emplace(id, std::move(edge)).first->second->address();
    });
  }

  Edge& edge(const EdgeId& id) {
    const auto found = edges_.find(id);
    if (found == edges_.end()) throw std::invalid_argument("there is no edge `" + id.text + "`");
    return *found->second;
  }

  Overhead overhead() const { return plane_.overhead.summary(); }

 private:
  void run_data_plane() {
    sigset_t all;  // signals are for the threads that run the scenario
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    pthread_setname_np(pthread_self(), "data-plane");
    plane_.io.run();
  }

  Plane plane_;
  std::map<EdgeId, std::unique_ptr<Edge>> edges_;
  asio::executor_work_guard<asio::io_context::executor_type> idle_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::thread thread_;
  const std::thread::id thread_id_ = thread_.get_id();
};

class Armed final : public ActiveFault {
 public:
  Armed(std::shared_ptr<Core> core, EdgeId edge, FaultId fault)
      : core_(std::move(core)), edge_(std::move(edge)), fault_(std::move(fault)) {}
  ~Armed() override {
    if (!healed_) heal();
  }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;

  Healed heal() override {
    healed_ = true;
    return core_->run([this] {
      auto& edge = core_->edge(edge_);
      const Instant at = edge.clear(fault_);
      return Healed{at, edge.tally(fault_), edge.last_hit(fault_)};
    });
  }
  faults::FaultTally tally() const override {
    return core_->run([this] { return core_->edge(edge_).tally(fault_); });
  }

 private:
  std::shared_ptr<Core> core_;
  EdgeId edge_;
  FaultId fault_;
  bool healed_ = false;
};

}  // namespace

class Network::Impl : public Core {
 public:
  using Core::Core;
};

Network::Network(faults::Observer& observer) : impl_(std::make_shared<Impl>(observer)) {}

Network::~Network() { impl_->stop(); }

TcpAddress Network::open(EdgeOptions options) { return impl_->open(std::move(options)); }

std::unique_ptr<ActiveFault> Network::arm(const EdgeId& edge, faults::WireFaultInstance fault, Instant* at) {
  const auto id = fault.id;
  const auto armed_at = impl_->run([&] { return impl_->edge(edge).arm(std::move(fault)); });
  if (at != nullptr) *at = armed_at;
  return std::make_unique<Armed>(impl_, edge, id);
}

void Network::redirect(const EdgeId& edge, Address upstream) {
  auto endpoints = endpoints_of(upstream);
  impl_->run([&] { impl_->edge(edge).redirect(std::move(endpoints)); });
}

Overhead Network::overhead() const {
  return impl_->run([this] { return impl_->overhead(); });
}

}  // namespace breakwire::relay
