#include "services/kit/serve.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "services/kit/address.h"
#include "services/kit/metrics/endpoint.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// gRPC's headers are instrumented here and its library is not, so every report about a call would be a false
// one.
extern "C" const char* __tsan_default_options() { return "report_bugs=0"; }
#endif
#endif

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;
using SystemClock = std::chrono::system_clock;

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

/// How long a peer may take to acknowledge the GOAWAY once no call is left. gRPC would wait for it to the
/// last.
constexpr auto patience_with_idle_peers = 1s;

/// Sends GOAWAY on every connection and waits until the calls in flight are finished. Returns the exit code,
/// or, where gRPC has no way to stop waiting (a peer that never acknowledges, a handler that never ends),
/// leaves with it.
int drain(std::unique_ptr<grpc::Server> server, SystemClock::time_point deadline, CallLog& log,
          const std::string& name) {
  std::mutex mutex;
  std::condition_variable changed;
  bool drained = false;
  std::thread shutdown([&] {
    server->Shutdown(deadline);
    server.reset();
    std::lock_guard lock(mutex);
    drained = true;
    changed.notify_one();
  });

  int cut_off = 0;
  auto quiet_since = SystemClock::now();
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, 5ms, [&] { return drained; })) {
    auto now = SystemClock::now();
    if (log.in_flight.load() > 0) quiet_since = now;
    if (now >= deadline - 10ms && cut_off == 0) cut_off = log.in_flight.load();
    bool over = now - quiet_since >= patience_with_idle_peers;
    if (!over && now < deadline + 250ms) continue;
    if (cut_off > 0)
      std::fprintf(stderr, "%s: %d calls did not end within the grace period\n", name.c_str(), cut_off);
    log.flush();
    ::_exit(cut_off == 0 ? 0 : 1);
  }
  lock.unlock();
  shutdown.join();
  return cut_off == 0 ? 0 : 1;
}

}  // namespace

StopSignal::StopSignal(Flaws flaws) : deadly_(flaws.has(Flaw::no_drain)) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals = stop_signals();
  if (deadly_) {
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  } else {
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  }
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // what gRPC would print is said by us, in a sentence
}

void StopSignal::wait() const {
  if (deadly_)
    for (;;) ::pause();
  sigset_t signals = stop_signals();
  int received = 0;
  ::sigwait(&signals, &received);
}

int serve(const Options& options, const StopSignal& stop, CallLog& log, Health& health,
          const std::vector<grpc::Service*>& services, OpenStreams* streams) {
  std::optional<MetricsEndpoint> metrics;  // read to the last: what went wrong while draining, too
  if (!options.metrics.empty()) {
    Address at = *parse_address(options.metrics);
    try {
      metrics.emplace(at.host, at.port, log.metrics());
    } catch (const std::exception& error) {
      return cannot_start(options.name, "cannot serve metrics on " + options.metrics + ": " + error.what());
    }
    std::fprintf(stderr, "%s: metrics on http://%s:%d/metrics\n", options.name.c_str(), at.host.c_str(),
                 metrics->port());
  }
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port in use is an error, not a silent share
  builder.SetContextAllocator(span_carrying_contexts());
  builder.experimental().SetInterceptorCreators(server_interceptors(log));
  builder.RegisterService(&health.service());
  for (auto* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0)
    return cannot_start(options.name, "cannot listen on " + options.listen + "; is the port taken?");
  std::fprintf(stderr, "%s: serving on %s:%d\n", options.name.c_str(),
               parse_address(options.listen)->host.c_str(), port);

  stop.wait();
  auto deadline = SystemClock::now() + options.grace;
  health.begin_drain();
  std::this_thread::sleep_for(options.lame_duck);
  health.end_watches();
  if (streams != nullptr) streams->leave_all();
  return drain(std::move(server), deadline, log, options.name);
}

}  // namespace breakwire::kit
