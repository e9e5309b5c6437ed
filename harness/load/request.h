// JSON -> a serialised protobuf message (proto3 JSON mapping), with errors at the place in the file. Pure.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/type_resolver.h>

#include <string>

#include "base/json.h"

namespace breakwire::load {

/// `resolver` answers for the pool that `type` is of. Errors: every field that does not exist, every value
/// its field cannot hold.
Result<std::string> encode_json(const google::protobuf::Descriptor& type,
                                google::protobuf::util::TypeResolver& resolver, const json::Value& value);

}  // namespace breakwire::load
