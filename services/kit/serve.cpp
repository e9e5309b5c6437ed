#include "services/kit/serve.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "services/kit/address.h"

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

/// Watches over a drain: notes the calls that were still in flight when the time was up, and ends the process
/// when the drain itself hangs (a handler that waits for something without a deadline).
class DrainWatch {
 public:
  DrainWatch(SystemClock::time_point deadline, CallLog& log, std::string name)
      : thread_([this, deadline, &log, name = std::move(name)] { run(deadline, log, name); }) {}
  ~DrainWatch() { finish(); }

  /// The drain is over. Returns how many calls were cut off.
  int finish() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    return cut_off_;
  }

 private:
  void run(SystemClock::time_point deadline, CallLog& log, const std::string& name) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_until(lock, deadline - 5ms, [this] { return over_; })) return;
    cut_off_ = log.in_flight.load();
    if (changed_.wait_until(lock, deadline + 250ms, [this] { return over_; })) return;
    std::fprintf(stderr, "%s: %d calls did not end within the grace period\n", name.c_str(), cut_off_);
    ::_exit(1);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  int cut_off_ = 0;
  std::thread thread_;
};

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
          const std::vector<grpc::Service*>& services) {
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
  DrainWatch watch(deadline, log, options.name);
  server->Shutdown(deadline);
  server.reset();
  return watch.finish() == 0 ? 0 : 1;
}

}  // namespace breakwire::kit
