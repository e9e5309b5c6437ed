// Reads .proto files by running protoc. Debian's libprotobuf-dev carries no header of the parser; the
// compiler itself is there wherever gRPC services are built.
#pragma once

#include "harness/load/descriptors.h"

namespace breakwire::load {

/// Runs `protoc` from PATH, for at most 10 s. Without `import_paths` each file's own folder is one. Errors:
/// no protoc (placed at `span`), and every complaint of protoc's, placed in the .proto file with `span` as
/// the second place.
Result<Catalogue> compile_protos(const std::vector<std::string>& files,
                                 const std::vector<std::string>& import_paths, const json::Span& span);

}  // namespace breakwire::load
