#pragma once
// A server stream that is over before it began.

#include <grpcpp/grpcpp.h>

namespace breakwire::kit {

/// The reactor to return from a streaming handler that refuses: ends with `status`, deletes itself.
template <class Message>
grpc::ServerWriteReactor<Message>* refused_stream(const grpc::Status& status) {
  class Refused : public grpc::ServerWriteReactor<Message> {
   public:
    explicit Refused(const grpc::Status& status) { this->Finish(status); }
    void OnDone() override { delete this; }
  };
  return new Refused(status);
}

}  // namespace breakwire::kit
