// A load under way: one thread that begins calls when they are due, one that takes what became of them.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "harness/load/channel.h"
#include "harness/load/exchange.h"
#include "harness/load/expansion.h"
#include "harness/load/load.h"
#include "harness/load/pace.h"
#include "harness/load/values.h"

namespace breakwire::load {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration connect_within = 300ms;
constexpr Duration late_after = 5ms;

class Client final : public RunningLoad {
 public:
  Client(LoadOptions options, history::Sink& sink)
      : options_(std::move(options)),
        load_(options_.load),
        sink_(sink),
        path_("/" + load_.method),
        varies_(varies_at_all()),
        messages_(encode(1)),
        channels_(connected_channels()),
        begin_(Clock::now()),
        pace_(load_, begin_) {
    sink_.record(begin_, history::LoadBegan{.load = load_.id});
    taker_ = std::thread([this] { take(); });
    beginner_ = std::thread([this] { begin_calls(); });
  }

  ~Client() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = cancelling_ = true;
      for (auto& [number, call] : in_flight_) call.exchange->cancel();
      changed_.notify_all();
    }
    beginner_.join();
    {
      // A stream goes on asking its queue for things until it is over, and a queue that is shut takes none.
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return in_flight_.empty(); });
    }
    queue_.Shutdown();
    taker_.join();
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  bool ended() const override { return ended_; }
  uint64_t late_starts() const override { return late_; }

 private:
  struct InFlight {
    std::unique_ptr<Exchange> exchange;
    history::CallDone done;  // filled in when it is
  };

  bool varies_at_all() const {
    for (const auto* message : messages_of(load_)) {
      if (varies(*message)) return true;
    }
    return false;
  }

  std::vector<std::string> encode(uint64_t number) const {
    const CallIds ids = ids_of(options_.seed, load_.id, number);
    std::vector<std::string> encoded;
    for (const auto* message : messages_of(load_))
      encoded.push_back(options_.method->encode(expand_all(*message, ids)).value());
    return encoded;
  }

  /// What is not text is told as it stands in JSON.
  std::vector<history::CallIssued::Field> wished_fields(const CallIds& ids) const {
    std::vector<history::CallIssued::Field> fields;
    for (const auto& name : options_.fields) {
      const json::Value* value = messages_of(load_).front()->find(name);
      if (!value) continue;
      const bool text = value->is(json::Kind::string);
      fields.push_back({name, text ? expand(value->text, ids) : json::write_line(*value)});
    }
    return fields;
  }

  std::vector<std::shared_ptr<grpc::Channel>> connected_channels() const {
    ChannelOptions options{.target = options_.target, .service_config = std::nullopt};
    if (load_.service_config) options.service_config = json::write_line(*load_.service_config);
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (unsigned i = 0; i < std::max(1U, load_.connections); ++i) {
      channels.push_back(open_channel(options));
      channels.back()->GetState(true);  // all connect at once
    }
    const Instant latest = Clock::now() + connect_within;
    for (const auto& channel : channels)
      connect(*channel, std::max(Duration(0), Duration(latest - Clock::now())));
    return channels;
  }

  void begin_calls() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const Instant now = Clock::now();
      cancel_overdue(now);
      const auto due = stopping_ ? std::nullopt : pace_.next(now);
      if (due && *due <= now) {
        lock.unlock();
        begin_call(load_.model == scenario::LoadModel::open ? *due : now);
        lock.lock();
        continue;
      }
      const bool cancels_left = !cancels_.empty() && !in_flight_.empty();
      if (!due && !cancels_left) break;
      Instant wake = std::min(now + Duration(1h), cancels_left ? cancels_.front().at : Pace::never);
      if (due) wake = std::min({wake, *due, pace_.end()});
      changed_.wait_until(lock, wake);
    }
    none_begin_ = true;
    end_if_over();
  }

  void begin_call(Instant intended) {
    const uint64_t number = ++issued_;
    const CallIds ids = ids_of(options_.seed, load_.id, number);
    // That messages of this shape can be encoded was made sure of before the load began.
    auto exchange = make_exchange({.channel = channels_[(number - 1) % channels_.size()],
                                   .path = path_,
                                   .shape = {.client_streaming = options_.method->client_streaming(),
                                             .server_streaming = options_.method->server_streaming()},
                                   .queue = queue_},
                                  varies_ ? encode(number) : messages_);
    exchange->number = number;
    auto& context = exchange->context;
    context.AddMetadata("x-breakwire-call", ids.call_id);
    context.AddMetadata("traceparent", "00-" + ids.trace_id + "-" + ids.span_id + "-01");
    for (const auto& [key, value] : load_.metadata) context.AddMetadata(key, expand(value, ids));

    const Instant issued = Clock::now();
    if (issued - intended > late_after) ++late_;
    const auto deadline = load_.deadline ? std::optional(issued + *load_.deadline) : std::nullopt;
    if (deadline) context.set_deadline(grpc_time(*deadline));
    sink_.record(issued, history::CallIssued{.load = load_.id,
                                             .number = number,
                                             .call_id = ids.call_id,
                                             .trace_id = ids.trace_id,
                                             .method = load_.method,
                                             .deadline = deadline,
                                             .intended = intended,
                                             .fields = wished_fields(ids)});

    // Under the lock until the call has begun: its end takes the lock too, and destroys the exchange.
    const std::lock_guard lock(mutex_);
    auto& call = in_flight_[number];
    call.exchange = std::move(exchange);
    call.done = {.load = load_.id,
                 .number = number,
                 .call_id = ids.call_id,
                 .status = StatusCode::unknown,
                 .message = {},
                 .intended = intended,
                 .issued = issued,
                 .deadline = deadline,
                 .responses = 0};
    pace_.issued();
    if (load_.cancel_after) cancels_.push_back({issued + *load_.cancel_after, number});
    if (cancelling_) call.exchange->cancel();
    call.exchange->begin();
  }

  void cancel_overdue(Instant now) {
    while (!cancels_.empty() && cancels_.front().at <= now) {
      if (auto call = in_flight_.find(cancels_.front().number); call != in_flight_.end()) {
        const history::CallDone& done = call->second.done;
        // Before it is done: the end that it causes comes after it in the history.
        sink_.record(now, history::CallCancelled{done.load, done.number, done.call_id});
        call->second.exchange->cancel();
      }
      cancels_.pop_front();
    }
  }

  void take() {
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
      const Instant now = Clock::now();
      const auto& completion = *static_cast<Completion*>(tag);
      const std::lock_guard lock(mutex_);
      if (completion.exchange.advance(completion, ok)) end_call(completion.exchange, now);
    }
  }

  // The lock is held, here and below.
  void end_call(const Exchange& exchange, Instant now) {
    const auto call = in_flight_.find(exchange.number);
    history::CallDone done = std::move(call->second.done);
    done.status = code_of(exchange.status);
    done.message = exchange.status.error_message();
    done.responses = exchange.responses;
    sink_.record(now, std::move(done));
    pace_.ended(now, !exchange.status.ok());
    in_flight_.erase(call);
    changed_.notify_all();
    end_if_over();
  }

  void end_if_over() {
    if (!none_begin_ || !in_flight_.empty() || ended_) return;
    sink_.record(Clock::now(), history::LoadEnded{.load = load_.id});
    ended_ = true;
  }

  const LoadOptions options_;
  const scenario::Load& load_;
  history::Sink& sink_;
  const std::string path_;
  const bool varies_;
  const std::vector<std::string> messages_;  // of call 1; of every call unless they vary
  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  const Instant begin_;
  grpc::CompletionQueue queue_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Pace pace_;
  std::unordered_map<uint64_t, InFlight> in_flight_;
  struct Cancel {
    Instant at;
    uint64_t number;
  };
  std::deque<Cancel> cancels_;  // in the order they are due
  bool stopping_ = false, cancelling_ = false, none_begin_ = false;
  uint64_t issued_ = 0;  // the beginner's own
  std::atomic<uint64_t> late_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread beginner_, taker_;
};

}  // namespace

std::unique_ptr<RunningLoad> start(LoadOptions options, history::Sink& sink) {
  if (const auto problems = problems_of(options.load, *options.method, options.seed); !problems.empty())
    throw std::runtime_error(render(problems));
  return std::make_unique<Client>(std::move(options), sink);
}

}  // namespace breakwire::load
