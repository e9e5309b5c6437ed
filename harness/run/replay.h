// The command line that runs a scenario again. Pure.
#pragma once

#include <string>
#include <string_view>

#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// What a POSIX shell reads as that one word: itself where nothing in it means anything to a shell, else in
/// single quotes.
std::string shell_word(std::string_view text);

/// `program`: how breakwire was called. `flags`: whatever else the run was given, ready for a shell, with a
/// space before it.
std::string replay_command(const std::string& program, const scenario::Scenario& scenario,
                           const std::string& flags);

}  // namespace breakwire::run
