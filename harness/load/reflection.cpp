#include "harness/load/reflection.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <deque>
#include <functional>
#include <set>

#include "harness/load/channel.h"
#include "harness/load/proto/breakwire_reflection.pb.h"
#include "harness/load/values.h"

namespace breakwire::load {
namespace {

namespace pb = google::protobuf;
using reflection::ServerReflectionRequest;
using reflection::ServerReflectionResponse;
using Stub = grpc::TemplatedGenericStub<ServerReflectionRequest, ServerReflectionResponse>;

/// One reflection stream, asked and answered in turn.
class Conversation {
 public:
  Conversation(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
               std::chrono::system_clock::time_point deadline, const std::stop_token& stop)
      : stub_(channel), cancel_(stop, [this] { context_.TryCancel(); }) {
    context_.set_deadline(deadline);
    stream_ = stub_.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(this);
    alive_ = next();
  }

  ~Conversation() {
    if (!finished_) {
      context_.TryCancel();
      finish();
    }
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// The answer, or nullopt when the stream has ended; `finish` then says how.
  std::optional<ServerReflectionResponse> ask(const ServerReflectionRequest& request) {
    if (!alive_) return std::nullopt;
    stream_->Write(request, this);
    ServerReflectionResponse response;
    alive_ = next();
    if (alive_) {
      stream_->Read(&response, this);
      alive_ = next();
    }
    return alive_ ? std::optional(std::move(response)) : std::nullopt;
  }

  grpc::Status finish() {
    grpc::Status status;
    stream_->Finish(&status, this);
    next();
    finished_ = true;
    return status;
  }

 private:
  bool next() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  Stub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<ServerReflectionRequest, ServerReflectionResponse>> stream_;
  bool alive_ = false, finished_ = false;
  std::stop_callback<std::function<void()>> cancel_;  // goes first: it cancels what is above
};

/// Why there is no catalogue: the stream's status, or what is wrong with an answer.
struct Trouble {
  grpc::Status status;
  std::string what;  // a sentence, when the stream was fine and the content was not
};

/// Adds the files of an answer, and their imports to `wanted`; false when they are not file descriptors.
bool add_files(const ServerReflectionResponse& response, Catalogue& catalogue, std::set<std::string>& known,
               std::deque<std::string>& wanted) {
  for (const auto& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    pb::FileDescriptorProto file;
    if (!file.ParseFromString(bytes)) return false;
    if (!known.insert(file.name()).second) continue;
    for (const auto& import : file.dependency()) wanted.push_back(import);
    catalogue.files.push_back(std::move(file));
  }
  return true;
}

std::optional<Trouble> converse(Conversation& conversation, const std::string& service,
                                Catalogue& catalogue) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  auto response = conversation.ask(request);
  if (!response) return Trouble{conversation.finish(), ""};
  for (const auto& each : response->list_services_response().service())
    catalogue.services.push_back(each.name());

  request.set_file_containing_symbol(service);
  response = conversation.ask(request);
  if (!response) return Trouble{conversation.finish(), ""};
  if (response->has_error_response())
    return std::nullopt;  // not known here: the caller says it with the list

  std::set<std::string> known;
  std::deque<std::string> wanted;
  const std::string garbled =
      catalogue.source + " answers reflection with something that is no file descriptor";
  if (!add_files(*response, catalogue, known, wanted)) return Trouble{{}, garbled};
  while (!wanted.empty()) {
    const std::string import = wanted.front();
    wanted.pop_front();
    if (known.contains(import)) continue;
    request.set_file_by_filename(import);
    response = conversation.ask(request);
    if (!response) return Trouble{conversation.finish(), ""};
    // An import that the server does not have is judged by build_pool, which knows some of its own.
    if (!response->has_error_response() && !add_files(*response, catalogue, known, wanted))
      return Trouble{{}, garbled};
    known.insert(import);
  }
  return std::nullopt;
}

}  // namespace

Result<Catalogue> ask_server(const std::string& target, const std::string& service, Duration within,
                             const json::Span& span, const std::stop_token& stop) {
  const auto deadline = std::chrono::system_clock::now() +
                        std::chrono::duration_cast<std::chrono::system_clock::duration>(within);
  const auto channel = open_channel({.target = target, .service_config = std::nullopt});
  static constexpr const char* versions[] = {
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  size_t version = 0;
  for (;;) {
    Catalogue catalogue{.source = target, .files = {}, .services = {}};
    Conversation conversation(channel, versions[version], deadline, stop);
    const auto trouble = converse(conversation, service, catalogue);
    if (!trouble) return catalogue;
    if (!trouble->what.empty()) return json::error_at(span, trouble->what);
    const auto code = trouble->status.error_code();
    if (code == grpc::StatusCode::UNIMPLEMENTED) {
      if (++version < std::size(versions)) continue;
      return json::error_at(span,
                            target + " does not offer server reflection (grpc.reflection.v1 or v1alpha)",
                            "describe the service with a descriptor set or its .proto files");
    }
    // Not there yet, or gone for a moment: worth asking again as long as there is time.
    if (stop.stop_requested()) return json::error_at(span, target + " was not waited for: interrupted");
    if (code == grpc::StatusCode::UNAVAILABLE && std::chrono::system_clock::now() + 20ms < deadline) {
      grpc::experimental::ChannelResetConnectionBackoff(channel.get());
      // Waits in gRPC and not asleep: nobody else polls this channel's sockets, and the connection must get
      // on.
      channel->WaitForStateChange(GRPC_CHANNEL_TRANSIENT_FAILURE, std::chrono::system_clock::now() + 20ms);
      continue;
    }
    return json::error_at(span,
                          target + " did not answer reflection within " + to_text(within) + " (" +
                              sentence_of(trouble->status) + ")",
                          "is it started, and is this its gRPC port?");
  }
}

}  // namespace breakwire::load
