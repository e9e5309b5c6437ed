#include "tests/faults/interop/client.h"

#include <grpcpp/grpcpp.h>

#include "interop/test_service.grpc.pb.h"
#include "tests/faults/interop/inspect.h"

namespace breakwire::interop {
namespace {

namespace pb = grpc::testing;
using namespace std::chrono_literals;
using Fields = std::vector<std::pair<std::string, std::string>>;

const Fields custom{{"x-grpc-test-echo-initial", "test_initial_metadata_value"},
                    {"x-grpc-test-echo-trailing-bin", "\xab\xab\xab"}};
const Fields repeated{{"x-grpc-test-echo-initial", "first"},
                      {"x-grpc-test-echo-trailing-bin", std::string("\0\xff", 2)},
                      {"x-order", "1"},
                      {"x-grpc-test-echo-initial", "second, with a comma"},
                      {"x-grpc-test-echo-trailing-bin", ""},
                      {"x-order", "0"}};
const std::string whitespace_and_unicode =
    "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";
constexpr std::array<int, 4> sent{27182, 8, 1828, 45904};
constexpr std::array<int, 4> answered{31415, 9, 2653, 58979};

void fill(pb::Payload* to, int size) { to->set_body(payload(static_cast<size_t>(size))); }

pb::SimpleRequest large() {
  pb::SimpleRequest request;
  request.set_response_size(314159);
  fill(request.mutable_payload(), 271828);
  return request;
}

pb::StreamingInputCallRequest input(int size) {
  pb::StreamingInputCallRequest request;
  fill(request.mutable_payload(), size);
  return request;
}

/// A request of so many bytes (none: -1) that wants responses of these sizes.
pb::StreamingOutputCallRequest wants(std::vector<int> sizes, int size = -1) {
  pb::StreamingOutputCallRequest request;
  for (const int wanted : sizes) request.add_response_parameters()->set_size(wanted);
  if (size >= 0) fill(request.mutable_payload(), size);
  return request;
}

std::string text_of(grpc::string_ref text) { return {text.data(), text.size()}; }

/// One call: its context, and what was seen of it.
class Call {
 public:
  Call(std::string run, std::string name, Log& log, const Fields& metadata, std::chrono::milliseconds timeout)
      : run_(std::move(run)), name_(std::move(name)), log_(log) {
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    context.AddMetadata(run_key, run_);
    context.AddMetadata(call_key, name_);
    for (const auto& [name_of_field, value] : metadata) context.AddMetadata(name_of_field, value);
  }

  template <class Response>
  void received(const Response& response) {
    saw_.responses.push_back(
        message_of(response, pb::InteropClientContextInspector::came_compressed(context)));
  }
  template <class Stream, class Response>
  void read_all(Stream& stream, Response response) {
    while (stream.Read(&response)) received(response);
  }
  void over(const grpc::Status& status) {
    saw_.code = status.error_code();
    saw_.message = status.error_message();
    for (const auto& [name, value] : context.GetServerInitialMetadata()) {
      saw_.initial.push_back(field_of(text_of(name), text_of(value)));
    }
    for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
      saw_.trailing.push_back(field_of(text_of(name), text_of(value)));
    }
    log_.add(run_, name_, std::move(saw_));
  }

  grpc::ClientContext context;

 private:
  std::string run_, name_;
  Log& log_;
  CallerSaw saw_;
};

class Client {
 public:
  Client(std::string run, uint16_t port, Log& log) : run_(std::move(run)), log_(log) {
    grpc::ChannelArguments arguments;
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "interop.test");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                                   grpc::InsecureChannelCredentials(), arguments);
    stub_ = pb::TestService::NewStub(channel);
    nobody_ = pb::UnimplementedService::NewStub(channel);
  }

  void plain() {
    {
      Call call = begin("empty_unary");
      pb::Empty response;
      const auto status = stub_->EmptyCall(&call.context, {}, &response);
      if (status.ok()) call.received(response);
      call.over(status);
    }
    unary("large_unary", large());
    std::vector<pb::StreamingInputCallRequest> requests;
    for (const int size : sent) requests.push_back(input(size));
    input_stream("client_streaming", requests);
    output_stream("server_streaming", wants({answered.begin(), answered.end()}));
    Call call = begin("ping_pong");
    const auto stream = stub_->FullDuplexCall(&call.context);
    for (size_t i = 0; i < sent.size(); ++i) {
      stream->Write(wants({answered[i]}, sent[i]));
      pb::StreamingOutputCallResponse response;
      if (stream->Read(&response)) call.received(response);
    }
    finish(call, *stream);
    full_duplex("empty_stream", {});
  }

  void compressed() {
    auto request = large();
    request.mutable_expect_compressed()->set_value(true);
    unary("client_compressed_unary/probe", request);
    unary("client_compressed_unary/yes", request, {}, GRPC_COMPRESS_GZIP);
    request.mutable_expect_compressed()->set_value(false);
    unary("client_compressed_unary/no", request);
    request = large();
    request.mutable_response_compressed()->set_value(true);
    unary("server_compressed_unary/yes", request);
    request.mutable_response_compressed()->set_value(false);
    unary("server_compressed_unary/no", request);

    std::vector<pb::StreamingInputCallRequest> requests{input(27182), input(45904)};
    requests[0].mutable_expect_compressed()->set_value(true);
    requests[1].mutable_expect_compressed()->set_value(false);
    input_stream("client_compressed_streaming/probe", {requests[0]});
    input_stream("client_compressed_streaming", requests, GRPC_COMPRESS_GZIP);
    auto both = wants({31415, 92653});
    both.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
    both.mutable_response_parameters(1)->mutable_compressed()->set_value(false);
    output_stream("server_compressed_streaming", both);
  }

  void metadata() {
    unary("custom_metadata/unary", large(), custom);
    full_duplex("custom_metadata/full_duplex", {wants({314159}, 271828)}, custom);
    unary("repeated_metadata", {}, repeated);
  }

  void statuses() {
    pb::EchoStatus status;
    status.set_code(2);
    status.set_message("test status message");
    pb::SimpleRequest request;
    *request.mutable_response_status() = status;
    unary("status_code_and_message/unary", request);
    pb::StreamingOutputCallRequest duplex;
    *duplex.mutable_response_status() = status;
    full_duplex("status_code_and_message/full_duplex", {duplex});
    request.mutable_response_status()->set_message(whitespace_and_unicode);
    unary("special_status_message", request);
    request.mutable_response_status()->set_message("test status message");
    std::string details;
    for (int byte = 0; byte < 256; ++byte) details += static_cast<char>(byte);
    unary("status_details", request, {{"x-interop-details-bin", details}});

    pb::Empty response;
    Call method = begin("unimplemented_method");
    method.over(stub_->UnimplementedCall(&method.context, {}, &response));
    Call service = begin("unimplemented_service");
    service.over(nobody_->UnimplementedCall(&service.context, {}, &response));
  }

  void cancelled() {
    {
      Call call = begin("cancel_after_begin");
      pb::StreamingInputCallResponse response;
      const auto writer = stub_->StreamingInputCall(&call.context, &response);
      call.context.TryCancel();
      call.over(writer->Finish());
    }
    {
      Call call = begin("cancel_after_first_response");
      const auto stream = stub_->FullDuplexCall(&call.context);
      stream->Write(wants({31415}, 27182));
      pb::StreamingOutputCallResponse response;
      if (stream->Read(&response)) call.received(response);
      call.context.TryCancel();
      finish(call, *stream);
    }
    for (const auto& [name, timeout] :
         {std::pair("timeout_on_sleeping_server", 1ms), std::pair("timeout_that_the_server_sees", 200ms)}) {
      Call call = begin(name, {}, timeout);
      const auto stream = stub_->FullDuplexCall(&call.context);
      stream->Write(wants({}, 27182));
      call.read_all(*stream, pb::StreamingOutputCallResponse());
      call.over(stream->Finish());
    }
  }

 private:
  Call begin(std::string name, const Fields& metadata = {}, std::chrono::milliseconds timeout = 10s) {
    return Call(run_, std::move(name), log_, metadata, timeout);
  }
  void unary(const std::string& name, const pb::SimpleRequest& request, const Fields& metadata = {},
             grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    Call call = begin(name, metadata);
    if (compression != GRPC_COMPRESS_NONE) call.context.set_compression_algorithm(compression);
    pb::SimpleResponse response;
    const auto status = stub_->UnaryCall(&call.context, request, &response);
    if (status.ok()) call.received(response);
    call.over(status);
  }
  void input_stream(const std::string& name, const std::vector<pb::StreamingInputCallRequest>& requests,
                    grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    Call call = begin(name);
    if (compression != GRPC_COMPRESS_NONE) call.context.set_compression_algorithm(compression);
    pb::StreamingInputCallResponse response;
    const auto writer = stub_->StreamingInputCall(&call.context, &response);
    for (const auto& request : requests) {
      grpc::WriteOptions options;
      if (!request.expect_compressed().value()) options.set_no_compression();
      writer->Write(request, options);
    }
    writer->WritesDone();
    const auto status = writer->Finish();
    if (status.ok()) call.received(response);
    call.over(status);
  }
  void output_stream(const std::string& name, const pb::StreamingOutputCallRequest& request) {
    Call call = begin(name);
    const auto reader = stub_->StreamingOutputCall(&call.context, request);
    call.read_all(*reader, pb::StreamingOutputCallResponse());
    call.over(reader->Finish());
  }
  void full_duplex(const std::string& name, const std::vector<pb::StreamingOutputCallRequest>& requests,
                   const Fields& metadata = {}) {
    Call call = begin(name, metadata);
    const auto stream = stub_->FullDuplexCall(&call.context);
    for (const auto& request : requests) stream->Write(request);
    finish(call, *stream);
  }
  template <class Stream>
  static void finish(Call& call, Stream& stream) {
    stream.WritesDone();
    call.read_all(stream, pb::StreamingOutputCallResponse());
    call.over(stream.Finish());
  }

  const std::string run_;
  Log& log_;
  std::unique_ptr<pb::TestService::Stub> stub_;
  std::unique_ptr<pb::UnimplementedService::Stub> nobody_;
};

}  // namespace

void run_cases(const std::string& run, uint16_t port, Log& log) {
  Client client(run, port, log);
  client.plain();
  client.compressed();
  client.metadata();
  client.statuses();
  client.cancelled();
}

}  // namespace breakwire::interop
