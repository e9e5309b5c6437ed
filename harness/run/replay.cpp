#include "harness/run/replay.h"

namespace breakwire::run {

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";  // out of the quotes, a quote, and in again
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string replay_command(const std::string& program, const scenario::Scenario& scenario,
                           const std::string& flags) {
  return shell_word(program) + " run " + shell_word(scenario.file) + " --only " + shell_word(scenario.id()) +
         " --seed " + std::to_string(scenario.seed) + flags;
}

}  // namespace breakwire::run
