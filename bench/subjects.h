// What is compared: ways from the client to the server, each a process of its own in front of the same
// server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/process/child_process.h"
#include "harness/process/guard.h"
#include "harness/process/temp_directory.h"

namespace bench {

struct Subject {
  std::string name;
  uint16_t port = 0;                                          // to dial
  std::unique_ptr<breakwire::process::ChildProcess> process;  // none: the server itself
};

/// A server and what stands in front of it. A program that is not installed is left out, with a line on
/// stderr.
class Subjects {
 public:
  explicit Subjects(breakwire::process::Guard& guard);

  /// Starts `direct`, `haproxy-tcp`, `haproxy-h2`, `nginx`, `nghttpx`, `breakwire`, `breakwire-armed` (with a
  /// fault that matches nothing) or `breakwire-forgetful` (no events kept) or `breakwire-edited` (every
  /// block is encoded anew, and no events kept); null when its program is missing.
  /// Each has one thread for its traffic.
  std::unique_ptr<Subject> start(const std::string& name);
  /// The same, in front of another server.
  std::unique_ptr<Subject> start(const std::string& name, uint16_t server_port);

 private:
  std::vector<std::string> command_line(const std::string& name, uint16_t port, uint16_t server_port);
  std::string write(const std::string& name, const std::string& text);

  breakwire::process::Guard& guard_;
  breakwire::process::TempDirectory place_;
  const std::string bin_;
  uint16_t server_port_ = 0;
  std::unique_ptr<breakwire::process::ChildProcess> server_;
};

}  // namespace bench
