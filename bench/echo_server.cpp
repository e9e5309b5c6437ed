// The server behind everything that is compared: gRPC's C++ server without generated code, messages are
// bytes.
//   bench_server PORT
// /bench.Echo/Say answers what it was sent. /bench.Echo/Pour sends as many messages of 64 KiB as the
// request's text says.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

constexpr size_t poured_bytes = 64 * 1024;

class Say final : public grpc::ServerGenericBidiReactor {
 public:
  Say() { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::INTERNAL, "no request"});
    StartWriteAndFinish(&message_, {}, grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

class Pour final : public grpc::ServerGenericBidiReactor {
 public:
  Pour() { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::INTERNAL, "no request"});
    grpc::Slice text;
    request_.DumpToSingleSlice(&text);
    left_ = std::atol(std::string(reinterpret_cast<const char*>(text.begin()), text.size()).c_str());
    const grpc::Slice slice(std::string(poured_bytes, 'x'));
    message_ = grpc::ByteBuffer(&slice, 1);
    OnWriteDone(true);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::CANCELLED, "nobody reads"});
    if (left_-- <= 0) return Finish(grpc::Status::OK);
    StartWrite(&message_);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer request_, message_;
  long left_ = 0;
};

class Service final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    if (context->method() == "/bench.Echo/Pour") return new Pour;
    return new Say;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 4;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Service service;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 3;
  int signal = 0;
  sigwait(&ends, &signal);
  server->Shutdown(std::chrono::system_clock::now());
}
