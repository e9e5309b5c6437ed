#include "tests/faults/interop/expectations.h"

#include "interop/test_service.pb.h"

namespace breakwire::interop {
namespace {

namespace pb = grpc::testing;
using faults::Metadata;
using Messages = std::vector<Message>;

constexpr int cancelled = 1, unknown = 2, invalid_argument = 3, deadline_exceeded = 4, unimplemented = 12;

/// The messages of the cases, marked as those who can tell see them.
class Cases {
 public:
  Cases(Language client, Language server)
      : client_tells_(client == Language::cpp),
        server_tells_(server == Language::cpp),
        both_compressed_(client == Language::python) {}

  std::vector<Expectation> all() {
    plain();
    compressed();
    metadata();
    statuses();
    cancellations();
    return std::move(all_);
  }

 private:
  // What the server gets, and what the client gets.
  Message asked(const google::protobuf::MessageLite& request, bool is_compressed = false) const {
    return message_of(request, server_tells_ ? std::optional(is_compressed) : std::nullopt);
  }
  Message told(const google::protobuf::MessageLite& response, bool is_compressed = false) const {
    return message_of(response, client_tells_ ? std::optional(is_compressed) : std::nullopt);
  }

  static void fill(pb::Payload* to, int size) { to->set_body(payload(static_cast<size_t>(size))); }
  static pb::SimpleRequest large() {
    pb::SimpleRequest request;
    request.set_response_size(314159);
    fill(request.mutable_payload(), 271828);
    return request;
  }
  static pb::StreamingInputCallRequest input(int size) {
    pb::StreamingInputCallRequest request;
    fill(request.mutable_payload(), size);
    return request;
  }
  static pb::StreamingOutputCallRequest wants(const std::vector<int>& sizes, int size = -1) {
    pb::StreamingOutputCallRequest request;
    for (const int wanted : sizes) request.add_response_parameters()->set_size(wanted);
    if (size >= 0) fill(request.mutable_payload(), size);
    return request;
  }
  template <class Response>
  static Response answer(int size) {
    Response response;
    fill(response.mutable_payload(), size);
    return response;
  }
  Message output(int size, bool is_compressed = false) const {
    return told(answer<pb::StreamingOutputCallResponse>(size), is_compressed);
  }
  Message large_response(bool is_compressed = false) const {
    return told(answer<pb::SimpleResponse>(314159), is_compressed);
  }
  Message sum(int size) const {
    pb::StreamingInputCallResponse response;
    response.set_aggregated_payload_size(size);
    return told(response);
  }
  static pb::EchoStatus status(const std::string& message) {
    pb::EchoStatus wanted;
    wanted.set_code(unknown);
    wanted.set_message(message);
    return wanted;
  }

  void plain() {
    all_.push_back({.call = "empty_unary",
                    .method = "EmptyCall",
                    .requests = {asked(pb::Empty())},
                    .responses = {told(pb::Empty())}});
    all_.push_back({.call = "large_unary",
                    .method = "UnaryCall",
                    .requests = {asked(large())},
                    .responses = {large_response()}});
    all_.push_back(
        {.call = "client_streaming",
         .method = "StreamingInputCall",
         .requests = {asked(input(27182)), asked(input(8)), asked(input(1828)), asked(input(45904))},
         .responses = {sum(74922)}});
    const Messages outputs{output(31415), output(9), output(2653), output(58979)};
    all_.push_back({.call = "server_streaming",
                    .method = "StreamingOutputCall",
                    .requests = {asked(wants({31415, 9, 2653, 58979}))},
                    .responses = outputs});
    all_.push_back({.call = "ping_pong",
                    .method = "FullDuplexCall",
                    .requests = {asked(wants({31415}, 27182)), asked(wants({9}, 8)),
                                 asked(wants({2653}, 1828)), asked(wants({58979}, 45904))},
                    .responses = outputs});
    all_.push_back({.call = "empty_stream", .method = "FullDuplexCall"});
  }

  void compressed() {
    auto request = large();
    request.mutable_expect_compressed()->set_value(true);
    unary("client_compressed_unary/yes", asked(request, true), large_response());
    unary("client_compressed_unary/probe", asked(request), large_response());
    if (server_tells_) refuse_last();
    request.mutable_expect_compressed()->set_value(false);
    unary("client_compressed_unary/no", asked(request), large_response());
    request = large();
    request.mutable_response_compressed()->set_value(true);
    unary("server_compressed_unary/yes", asked(request), large_response(true));
    request.mutable_response_compressed()->set_value(false);
    unary("server_compressed_unary/no", asked(request), large_response());

    auto first = input(27182);
    auto second = input(45904);
    first.mutable_expect_compressed()->set_value(true);
    second.mutable_expect_compressed()->set_value(both_compressed_);
    all_.push_back({.call = "client_compressed_streaming",
                    .method = "StreamingInputCall",
                    .requests = {asked(first, true), asked(second, both_compressed_)},
                    .responses = {sum(73086)}});
    all_.push_back({.call = "client_compressed_streaming/probe",
                    .method = "StreamingInputCall",
                    .requests = {asked(first)},
                    .responses = {sum(27182)}});
    if (server_tells_) refuse_last();
    auto both = wants({31415, 92653});
    both.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
    both.mutable_response_parameters(1)->mutable_compressed()->set_value(false);
    all_.push_back({.call = "server_compressed_streaming",
                    .method = "StreamingOutputCall",
                    .requests = {asked(both)},
                    .responses = {output(31415, true), output(92653)}});
  }

  void metadata() {
    const Metadata initial{{"x-grpc-test-echo-initial", "test_initial_metadata_value"}};
    const Metadata trailing{{"x-grpc-test-echo-trailing-bin", "ababab"}};
    unary("custom_metadata/unary", asked(large()), large_response());
    echo_last(initial, trailing);
    all_.push_back({.call = "custom_metadata/full_duplex",
                    .method = "FullDuplexCall",
                    .requests = {asked(wants({314159}, 271828))},
                    .responses = {output(314159)}});
    echo_last(initial, trailing);
    unary("repeated_metadata", asked(pb::SimpleRequest()), told(answer<pb::SimpleResponse>(0)));
    echo_last({{"x-grpc-test-echo-initial", "first"}, {"x-grpc-test-echo-initial", "second, with a comma"}},
              {{"x-grpc-test-echo-trailing-bin", "00ff"}, {"x-grpc-test-echo-trailing-bin", ""}});
    all_.back().metadata.insert(all_.back().metadata.end(), {{"x-order", "1"}, {"x-order", "0"}});
  }

  void statuses() {
    const std::string plain = "test status message";
    const std::string special =
        "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";
    pb::SimpleRequest request;
    *request.mutable_response_status() = status(plain);
    unary_status("status_code_and_message/unary", request, plain);
    pb::StreamingOutputCallRequest duplex;
    *duplex.mutable_response_status() = status(plain);
    all_.push_back({.call = "status_code_and_message/full_duplex",
                    .method = "FullDuplexCall",
                    .code = unknown,
                    .message = plain,
                    .requests = {asked(duplex)}});
    unary_status("status_details", request, plain);
    std::string details;
    for (int byte = 0; byte < 256; ++byte) details += static_cast<char>(byte);
    all_.back().metadata = {field_of("x-interop-details-bin", details)};
    all_.back().trailing = {field_of("grpc-status-details-bin", details)};
    *request.mutable_response_status() = status(special);
    unary_status("special_status_message", request, special);
    for (const auto& call : {"unimplemented_method", "unimplemented_service"}) {
      all_.push_back({.call = call, .code = unimplemented, .message = {}, .is_implemented = false});
    }
  }

  void cancellations() {
    all_.push_back({.call = "cancel_after_begin",
                    .method = "StreamingInputCall",
                    .code = cancelled,
                    .message = {},
                    .cancelled = true,
                    .surely_arrives = false});
    all_.push_back({.call = "cancel_after_first_response",
                    .method = "FullDuplexCall",
                    .code = cancelled,
                    .message = {},
                    .requests = {asked(wants({31415}, 27182))},
                    .responses = {output(31415)},
                    .cancelled = true});
    for (const bool arrives : {false, true}) {
      all_.push_back({.call = arrives ? "timeout_that_the_server_sees" : "timeout_on_sleeping_server",
                      .method = "FullDuplexCall",
                      .code = deadline_exceeded,
                      .message = "Deadline Exceeded",
                      .requests = {asked(wants({}, 27182))},
                      .cancelled = true,
                      .surely_arrives = arrives});
    }
  }

  void unary(std::string call, Message request, Message response) {
    all_.push_back(
        {.call = std::move(call), .method = "UnaryCall", .requests = {request}, .responses = {response}});
  }
  void unary_status(std::string call, const pb::SimpleRequest& request, const std::string& message) {
    all_.push_back({.call = std::move(call),
                    .method = "UnaryCall",
                    .code = unknown,
                    .message = message,
                    .requests = {asked(request)}});
  }
  void refuse_last() {
    all_.back().code = invalid_argument;
    all_.back().message.reset();
    all_.back().responses.clear();
  }
  void echo_last(const Metadata& initial, const Metadata& trailing) {
    all_.back().initial = initial;
    all_.back().trailing = trailing;
    all_.back().metadata = initial;
    all_.back().metadata.insert(all_.back().metadata.end(), trailing.begin(), trailing.end());
  }

  const bool client_tells_;
  const bool server_tells_;
  const bool both_compressed_;  // grpcio compresses all messages of a request or none
  std::vector<Expectation> all_;
};

}  // namespace

std::vector<Expectation> expectations(Language client, Language server) {
  return Cases(client, server).all();
}

}  // namespace breakwire::interop
