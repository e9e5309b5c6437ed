// What each subcommand does. Answers the exit code: 0 passed, 1 failed, 2 inconclusive, 3 harness error, 4
// bad file or usage. Reports go to standard output and files, everything else to standard error.
#pragma once

#include <string>
#include <vector>

#include "cli/files.h"

namespace breakwire::cli {

struct RunOptions {
  Selection selection;
  unsigned jobs = 0;                 // 0: as many as there are cores, at least 2
  std::string report = "out";        // folder of report.json, histories and logs
  std::string bin;                   // folder of the services' programs; empty: beside breakwire
  std::vector<std::string> command;  // as typed, for the report
};

struct UpOptions {
  std::string file;
  std::string only;    // scenario id; empty: the first that is neither of a matrix nor a twin
  std::string report;  // folder of the logs; empty: they go with everything else
  std::string bin;     // as in RunOptions
};

int run_command(const RunOptions& options);
/// 0 when somebody ended it, 1 when a service ended by itself, 3 when not everything became ready.
int up_command(const UpOptions& options);
int validate_command(const Selection& selection);
int list_command(const std::string& what);
int explain_command(const std::string& name);
int schema_command(const std::string& what);
int docs_command(const std::string& what);

}  // namespace breakwire::cli
