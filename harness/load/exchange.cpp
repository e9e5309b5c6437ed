#include "harness/load/exchange.h"

#include <grpcpp/generic/generic_stub.h>

#include "harness/load/values.h"

namespace breakwire::load {
namespace {

class UnaryExchange final : public Exchange {
 public:
  UnaryExchange(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
                const std::string& request, grpc::CompletionQueue& queue)
      : stub_(channel), path_(path), request_(buffer_of(request)), queue_(queue) {}

  void begin() override {
    reader_ = stub_.PrepareUnaryCall(&context, path_, request_, &queue_);
    reader_->StartCall();
    reader_->Finish(&response_, &status, static_cast<Exchange*>(this));
  }

  bool advance(bool) override {
    responses = status.ok() ? 1 : 0;  // the library answers OK only with a message
    return true;
  }

 private:
  grpc::GenericStub stub_;
  std::string path_;
  grpc::ByteBuffer request_, response_;
  grpc::CompletionQueue& queue_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
};

}  // namespace

std::unique_ptr<Exchange> unary_exchange(const std::shared_ptr<grpc::Channel>& channel,
                                         const std::string& path, const std::string& request,
                                         grpc::CompletionQueue& queue) {
  return std::make_unique<UnaryExchange>(channel, path, request, queue);
}

}  // namespace breakwire::load
