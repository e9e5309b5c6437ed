// Descriptions of services and messages, wherever they come from.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/json.h"
#include "harness/scenario/scenario.h"

namespace breakwire::load {

/// What a source of descriptions offers.
struct Catalogue {
  std::string source;  // for sentences: "127.0.0.1:50051", "shop.binpb"
  std::vector<google::protobuf::FileDescriptorProto> files;
  std::vector<std::string> services;  // fully qualified; also of files that are not here
};

/// The catalogue of a FileDescriptorSet.
Catalogue catalogue_of(google::protobuf::FileDescriptorSet set, std::string source);

/// From where `descriptors` says: `target`'s reflection, descriptor sets, or .proto files.
Result<Catalogue> gather(const scenario::Descriptors& descriptors, const std::string& target,
                         const std::string& service, Duration within, const json::Span& span,
                         const std::stop_token& stop = {});

/// A pool of its own, apart from the generated one: what is under test may carry the same names as what is
/// linked into this process. Imports of google/protobuf/*.proto that the catalogue lacks are taken from the
/// protobuf library. Errors: a missing import, files that contradict each other.
Result<std::unique_ptr<google::protobuf::DescriptorPool>> build_pool(const Catalogue& catalogue,
                                                                     const json::Span& span);

}  // namespace breakwire::load
