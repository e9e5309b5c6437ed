// A server of reflection that answers from descriptors it is given: what servers other than Debian's do.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/load/proto/breakwire_reflection.pb.h"
#include "harness/load/values.h"

namespace breakwire::load {

/// Serves `versions` ("v1", "v1alpha"; the others are UNIMPLEMENTED) and knows `files`: each is sent alone,
/// never with its imports, as the specification allows.
class ReflectionDouble final : public grpc::CallbackGenericService {
 public:
  ReflectionDouble(std::set<std::string> versions, std::vector<google::protobuf::FileDescriptorProto> files,
                   int port = 0)
      : versions_(std::move(versions)), files_(std::move(files)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("the test's server cannot listen");
  }
  ~ReflectionDouble() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> paths() const {
    const std::lock_guard lock(mutex_);
    return paths_;
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const ReflectionDouble& server) : server_(server) { StartRead(&request_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      reflection::ServerReflectionRequest request;
      request.ParseFromString(bytes_of(request_));
      response_ = buffer_of(server_.answer(request).SerializeAsString());
      StartWrite(&response_);
    }
    void OnWriteDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::CANCELLED);
      StartRead(&request_);
    }
    void OnDone() override { delete this; }

   private:
    const ReflectionDouble& server_;
    grpc::ByteBuffer request_, response_;
  };

  class Refusal final : public grpc::ServerGenericBidiReactor {
   public:
    Refusal() { Finish({grpc::StatusCode::UNIMPLEMENTED, ""}); }
    void OnDone() override { delete this; }
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    const std::lock_guard lock(mutex_);
    paths_.push_back(context->method());
    for (const auto& version : versions_) {
      if (context->method() == "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo")
        return new Reactor(*this);
    }
    return new Refusal;
  }

  reflection::ServerReflectionResponse answer(const reflection::ServerReflectionRequest& request) const {
    reflection::ServerReflectionResponse response;
    for (const auto& file : files_) {
      bool meant = file.name() == request.file_by_filename();
      for (const auto& service : file.service()) {
        const std::string name = file.package() + "." + service.name();
        if (request.has_list_services())
          response.mutable_list_services_response()->add_service()->set_name(name);
        meant = meant || name == request.file_containing_symbol();
      }
      if (meant) {
        response.mutable_file_descriptor_response()->add_file_descriptor_proto(file.SerializeAsString());
        return response;
      }
    }
    if (request.has_list_services()) {
      response.mutable_list_services_response();
    } else {
      response.mutable_error_response()->set_error_code(5);
    }
    return response;
  }

  std::set<std::string> versions_;
  std::vector<google::protobuf::FileDescriptorProto> files_;
  mutable std::mutex mutex_;
  std::vector<std::string> paths_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace breakwire::load
