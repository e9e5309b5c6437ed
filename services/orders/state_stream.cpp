#include "services/orders/state_stream.h"

#include <grpcpp/alarm.h>

#include <mutex>

namespace breakwire::orders {

using namespace shop::v1;

namespace {

using namespace std::chrono_literals;
using SystemClock = std::chrono::system_clock;

constexpr auto interval = 100ms;

/// One thing is under way at any time: a question, a write, or a pause; and whatever comes after it is begun
/// by its completion. So the stream is finished once and when nothing else goes on, and the context is there
/// until then. The others (`OnCancel`, `leave`) only cut short what is under way.
class StateStream : public grpc::ServerWriteReactor<StreamOrderStatesResponse>, public kit::OpenStream {
 public:
  StateStream(kit::CallPolicy& policy, Dependencies& dependencies, kit::OpenStreams& streams,
              grpc::CallbackServerContext& context, std::string order_id)
      : policy_(policy),
        dependencies_(dependencies),
        streams_(streams),
        context_(context),
        deadline_(policy.deadline_of(context)) {
    message_.set_order_id(std::move(order_id));
  }

  void ask_inventory() {
    if (over()) return;
    auto call = ask<GetReservationRequest, GetReservationResponse>();
    dependencies_.inventory->async()->GetReservation(call->context.get(), &call->request, &call->response,
                                                     [this, call](const grpc::Status& status) {
                                                       answered();
                                                       if (over()) return;
                                                       if (status.ok()) return ask_payments();
                                                       tell_or_fail(status, OrderState::ORDER_STATE_AWAITED);
                                                     });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    if (message_.state() == OrderState::ORDER_STATE_PAID ||
        message_.state() == OrderState::ORDER_STATE_REFUSED)
      return Finish(grpc::Status::OK);
    pause();
  }

  /// Questions under way were made to serve this call and are cancelled with it.
  void OnCancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (pause_) pause_->Cancel();
  }

  void leave() override {
    std::lock_guard lock(mutex_);
    leaving_ = true;
    if (pause_) pause_->Cancel();
    if (question_ != nullptr) question_->TryCancel();
  }

  void OnDone() override { streams_.remove(*this); }

 private:
  void ask_payments() {
    auto call = ask<GetChargeRequest, GetChargeResponse>();
    dependencies_.payments->async()->GetCharge(call->context.get(), &call->request, &call->response,
                                               [this, call](const grpc::Status& status) {
                                                 answered();
                                                 if (over()) return;
                                                 if (status.ok()) return tell(OrderState::ORDER_STATE_PAID);
                                                 tell_or_fail(status, OrderState::ORDER_STATE_RESERVED);
                                               });
  }

  template <class Request, class Response>
  std::shared_ptr<kit::OutgoingCall<Request, Response>> ask() {
    auto call = policy_.outgoing<Request, Response>(context_);
    call->request.set_order_id(message_.order_id());
    std::lock_guard lock(mutex_);
    question_ = call->context.get();
    if (leaving_) question_->TryCancel();
    return call;
  }

  void answered() {
    std::lock_guard lock(mutex_);
    question_ = nullptr;
  }

  /// `missing` is what an order is that the dependency knows nothing of.
  void tell_or_fail(const grpc::Status& status, OrderState missing) {
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) return tell(missing);
    if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION)
      return tell(OrderState::ORDER_STATE_REFUSED);
    Finish(policy_.answer(context_, status));
  }

  void tell(OrderState state) {
    if (state == message_.state()) return pause();
    message_.set_state(state);
    StartWrite(&message_);
  }

  void pause() {
    auto next = std::min(SystemClock::now() + interval, deadline_);
    std::unique_lock lock(mutex_);
    if (leaving_ || cancelled_) {
      lock.unlock();
      over();
      return;
    }
    pause_ = std::make_unique<grpc::Alarm>();
    pause_->Set(next, [this](bool) { ask_inventory(); });  // from a thread of gRPC's, never from within
  }

  /// Finishes the stream when it is time.
  bool over() {
    std::unique_lock lock(mutex_);
    const bool leaving = leaving_;
    const bool cancelled = cancelled_;
    lock.unlock();
    if (leaving) {
      Finish({grpc::StatusCode::UNAVAILABLE, "this process is about to go, ask again"});
    } else if (SystemClock::now() >= deadline_) {
      Finish({grpc::StatusCode::DEADLINE_EXCEEDED, "the order was not settled in time"});
    } else if (cancelled) {
      Finish(grpc::Status::CANCELLED);
    } else {
      return false;
    }
    return true;
  }

  kit::CallPolicy& policy_;
  Dependencies& dependencies_;
  kit::OpenStreams& streams_;
  grpc::CallbackServerContext& context_;
  const SystemClock::time_point deadline_;
  StreamOrderStatesResponse message_;  // the one sent last

  std::mutex mutex_;
  bool cancelled_ = false;
  bool leaving_ = false;
  std::unique_ptr<grpc::Alarm> pause_;
  grpc::ClientContext* question_ = nullptr;
};

}  // namespace

grpc::ServerWriteReactor<StreamOrderStatesResponse>* stream_states(kit::CallPolicy& policy,
                                                                   Dependencies& dependencies,
                                                                   kit::OpenStreams& streams,
                                                                   grpc::CallbackServerContext& context,
                                                                   std::string order_id) {
  auto stream = std::make_shared<StateStream>(policy, dependencies, streams, context, std::move(order_id));
  streams.add(stream);
  stream->ask_inventory();
  return stream.get();
}

}  // namespace breakwire::orders
