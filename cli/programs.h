// Where the programs are that a command starts, and where it may write.
#pragma once

#include <optional>
#include <string>

namespace breakwire::cli {

struct Programs {
  std::string bin;    // what `${bin}` stands for, an absolute path
  std::string guard;  // of breakwire-guard
};

/// `bin` as typed; empty: beside breakwire. Says what is wrong on standard error and answers nothing when it
/// is no folder.
std::optional<Programs> find_programs(const std::string& bin);

/// Whether `--report` can be a folder; says so on standard error when not. Empty is fine.
bool may_be_report_folder(const std::string& report);

/// Whether a report can be written into that folder, which is made if it is not there; says why not on
/// standard error. To be asked before anything is started: a run that nobody can read about is worth nothing.
bool can_write_report(const std::string& report);

}  // namespace breakwire::cli
