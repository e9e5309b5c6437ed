#include "tests/faults/interop/server.h"

#include <grpcpp/grpcpp.h>

#include "interop/test_service.grpc.pb.h"
#include "tests/faults/interop/inspect.h"

namespace breakwire::interop {
namespace {

namespace pb = grpc::testing;
using grpc::Status;
using grpc::StatusCode;

/// One call: what was seen of it is in the log when this ends.
class Served {
 public:
  Served(grpc::ServerContext& context, std::string method, Log& log) : context_(context), log_(log) {
    saw_.method = std::move(method);
    const auto authority = context.ExperimentalGetAuthority();
    saw_.authority.assign(authority.data(), authority.size());
    for (const auto& [name, value] : context.client_metadata()) {
      const std::string key(name.data(), name.size());
      const std::string text(value.data(), value.size());
      if (key == run_key) {
        run_ = text;
      } else if (key == call_key) {
        call_ = text;
      } else {
        saw_.metadata.push_back(field_of(key, text));
      }
      if (key == "x-grpc-test-echo-initial") context.AddInitialMetadata(key, text);
      if (key == "x-grpc-test-echo-trailing-bin") context.AddTrailingMetadata(key, text);
      if (key == "x-interop-details-bin") details_ = text;
    }
  }
  ~Served() {
    saw_.cancelled = context_.IsCancelled();
    log_.add(run_, call_, std::move(saw_));
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  /// Whether the message came as compressed as it says, where it says so.
  template <class Request>
  bool received(const Request& request) {
    const bool compressed = pb::InteropServerContextInspector::came_compressed(context_);
    saw_.requests.push_back(message_of(request, compressed));
    if constexpr (requires { request.expect_compressed(); }) {
      return !request.has_expect_compressed() || request.expect_compressed().value() == compressed;
    }
    return true;
  }
  Status status(const pb::EchoStatus& wanted) const {
    return {static_cast<StatusCode>(wanted.code()), wanted.message(), details_};
  }

 private:
  grpc::ServerContext& context_;
  Log& log_;
  std::string run_, call_, details_;
  CalleeSaw saw_;
};

const Status wrongly_compressed{StatusCode::INVALID_ARGUMENT, "not compressed as it says"};

class Service final : public pb::TestService::Service {
 public:
  explicit Service(Log& log) : log_(log) {}

  Status EmptyCall(grpc::ServerContext* context, const pb::Empty* request, pb::Empty*) override {
    Served(*context, "EmptyCall", log_).received(*request);
    return Status::OK;
  }
  Status UnaryCall(grpc::ServerContext* context, const pb::SimpleRequest* request,
                   pb::SimpleResponse* response) override {
    Served call(*context, "UnaryCall", log_);
    if (!call.received(*request)) return wrongly_compressed;
    if (request->has_response_status()) return call.status(request->response_status());
    if (request->response_compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    response->mutable_payload()->set_body(payload(static_cast<size_t>(request->response_size())));
    return Status::OK;
  }
  Status StreamingOutputCall(grpc::ServerContext* context, const pb::StreamingOutputCallRequest* request,
                             grpc::ServerWriter<pb::StreamingOutputCallResponse>* writer) override {
    Served call(*context, "StreamingOutputCall", log_);
    call.received(*request);
    answer(*context, *request, *writer);
    return Status::OK;
  }
  Status StreamingInputCall(grpc::ServerContext* context,
                            grpc::ServerReader<pb::StreamingInputCallRequest>* reader,
                            pb::StreamingInputCallResponse* response) override {
    Served call(*context, "StreamingInputCall", log_);
    size_t size = 0;
    for (pb::StreamingInputCallRequest request; reader->Read(&request);) {
      if (!call.received(request)) return wrongly_compressed;
      size += request.payload().body().size();
    }
    response->set_aggregated_payload_size(static_cast<int32_t>(size));
    return Status::OK;
  }
  Status FullDuplexCall(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<pb::StreamingOutputCallResponse,
                                                 pb::StreamingOutputCallRequest>* stream) override {
    Served call(*context, "FullDuplexCall", log_);
    for (pb::StreamingOutputCallRequest request; stream->Read(&request);) {
      call.received(request);
      if (request.has_response_status()) return call.status(request.response_status());
      answer(*context, request, *stream);
    }
    return Status::OK;
  }

 private:
  template <class Writer>
  static void answer(grpc::ServerContext& context, const pb::StreamingOutputCallRequest& request,
                     Writer& writer) {
    for (const auto& wanted : request.response_parameters()) {
      if (wanted.compressed().value()) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    for (const auto& wanted : request.response_parameters()) {
      pb::StreamingOutputCallResponse response;
      response.mutable_payload()->set_body(payload(static_cast<size_t>(wanted.size())));
      grpc::WriteOptions options;
      if (!wanted.compressed().value()) options.set_no_compression();
      writer.Write(response, options);
    }
  }

  Log& log_;
};

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Log& log) : service_(log) {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~Impl() { server_->Shutdown(std::chrono::system_clock::now()); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int port = 0;

 private:
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

Server::Server(Log& log) : impl_(std::make_unique<Impl>(log)) {}
Server::~Server() = default;
uint16_t Server::port() const { return static_cast<uint16_t>(impl_->port); }

}  // namespace breakwire::interop
