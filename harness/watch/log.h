// Follows a service's log and records LogSeen for each of its lines that tells of a call.
#pragma once

#include <memory>
#include <string>

#include "harness/watch/log_line.h"
#include "harness/watch/watcher.h"

namespace breakwire::watch {

struct LogOptions {
  ServiceId service;
  std::string path;  // see FileTail for rotation
  LogFields fields;
  Duration period = 20ms;           // how often the file is looked at
  size_t longest_line = 64 * 1024;  // longer ones are skipped
  Duration quiet = 200ms;           // catch_up returns when nothing has come for so long
};

/// Lines that are no JSON object, and those that tell of no call, are skipped; when no line at all told of a
/// call, its note says so.
std::unique_ptr<Watcher> follow_log(LogOptions options, history::Sink& sink);

}  // namespace breakwire::watch
