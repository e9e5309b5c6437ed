#include "harness/load/exchange.h"

#include <grpcpp/generic/generic_stub.h>

#include "harness/load/values.h"

namespace breakwire::load {
namespace {

class UnaryExchange final : public Exchange {
 public:
  UnaryExchange(const Callee& callee, const std::string& request)
      : stub_(callee.channel), path_(callee.path), request_(buffer_of(request)), queue_(callee.queue) {}

  void begin() override {
    reader_ = stub_.PrepareUnaryCall(&context, path_, request_, &queue_);
    reader_->StartCall();
    reader_->Finish(&response_, &status, &finished_);
  }

  bool advance(const Completion&, bool) override {
    responses = status.ok() ? 1 : 0;  // the library answers OK only with a message
    return true;
  }

 private:
  grpc::GenericStub stub_;
  std::string path_;
  grpc::ByteBuffer request_, response_;
  grpc::CompletionQueue& queue_;
  Completion finished_{*this};
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
};

/// Any call that streams: on the wire the three kinds differ only in how many messages go each way.
class StreamExchange final : public Exchange {
 public:
  StreamExchange(const Callee& callee, const std::vector<std::string>& messages)
      : stub_(callee.channel),
        path_(callee.path),
        one_response_(!callee.shape.server_streaming),
        queue_(callee.queue) {
    for (const auto& message : messages) messages_.push_back(buffer_of(message));
  }

  void begin() override {
    stream_ = stub_.PrepareCall(&context, path_, &queue_);
    ++pending_;
    stream_->StartCall(&started_);
  }

  bool advance(const Completion& completion, bool ok) override {
    --pending_;
    if (&completion == &started_) {
      if (ok) write();
      read();  // of a call that could not be started it says so at once
    } else if (&completion == &written_) {
      if (ok && next_ < messages_.size()) write();
    } else if (&completion == &read_) {
      if (ok) ++responses;
      ok ? read() : finish();
    } else {
      finished_ = true;
      if (status.ok() && one_response_ && responses != 1)
        status = {grpc::StatusCode::UNIMPLEMENTED,
                  std::to_string(responses) + " messages were answered where the method has one"};
    }
    // A write may still be on its way out when the status is there.
    return finished_ && pending_ == 0;
  }

 private:
  void write() {
    ++pending_;
    const grpc::ByteBuffer& message = messages_[next_++];
    if (next_ == messages_.size()) {
      stream_->WriteLast(message, {}, &written_);
    } else {
      stream_->Write(message, &written_);
    }
  }
  void read() {
    ++pending_;
    stream_->Read(&response_, &read_);
  }
  void finish() {
    ++pending_;
    stream_->Finish(&status, &finish_);
  }

  grpc::GenericStub stub_;
  std::string path_;
  const bool one_response_;
  grpc::CompletionQueue& queue_;
  std::vector<grpc::ByteBuffer> messages_;
  size_t next_ = 0;
  grpc::ByteBuffer response_;
  Completion started_{*this}, written_{*this}, read_{*this}, finish_{*this};
  int pending_ = 0;  // operations whose completion has not been taken
  bool finished_ = false;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

}  // namespace

std::unique_ptr<Exchange> make_exchange(const Callee& callee, const std::vector<std::string>& messages) {
  if (callee.shape.client_streaming || callee.shape.server_streaming)
    return std::make_unique<StreamExchange>(callee, messages);
  return std::make_unique<UnaryExchange>(callee, messages.front());
}

}  // namespace breakwire::load
