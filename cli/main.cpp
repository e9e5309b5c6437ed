// The command line: what can be typed, and the one place where exceptions become sentences.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <limits>

#include "cli/commands.h"

namespace breakwire::cli {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 passed, 1 failed, 2 inconclusive, 3 harness error, 4 bad file or usage (4 > 3 > 1 > 2 > "
    "0).";

/// CLI11 by itself would take "-1" for the largest seed there is, and say of 2^64 only that it is wrong.
/// Answers what is wrong, or nothing.
std::string is_seed(const std::string& text) {
  constexpr auto largest = std::numeric_limits<uint64_t>::max();
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
    return "`" + text + "` is not a whole number; a seed is one from 0 to " + std::to_string(largest);
  uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
    return text + " is too big for a seed, the largest is " + std::to_string(largest);
  return "";
}

std::string is_jobs(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= 1 && number <= 256) return "";
  return "`" + text + "` is not a number of scenarios to run at a time: 1 to 256";
}

void add_selection(CLI::App& command, Selection& selection) {
  command.add_option("PATH", selection.paths, "Scenario files, or folders of them")->required();
  command
      .add_option("--tag", selection.tags,
                  "Only scenarios with this tag (may be given several times: any of them)")
      ->allow_extra_args(false);
  command
      .add_option("--only", selection.only,
                  "Only the scenario with this id: name, name[variant] or name~twin")
      ->allow_extra_args(false);
  command.add_option("--seed", selection.seed, "Use this seed instead of the files' own")
      ->check(CLI::Validator(is_seed, "NUMBER"));
}

/// CLI11 by itself would only say that some command is needed.
bool is_known_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands({})) known.push_back(command->get_name());
  if (std::find(known.begin(), known.end(), word) != known.end()) return true;
  std::fputs(
      render(Error{.what = "there is no command `" + word + "`", .hint = did_you_mean(word, known)}).c_str(),
      stderr);
  return false;
}

int dispatch(int argc, char** argv) {
  CLI::App app{
      "breakwire: breaks gRPC services on cue and judges, from the wire, whether they keep their promises."};
  app.footer(exit_codes);
  app.set_version_flag("--version", BREAKWIRE_VERSION);
  app.require_subcommand(1);
  int code = 0;

  RunOptions run_options;
  run_options.command.assign(argv, argv + argc);
  auto* run = app.add_subcommand("run", "Run scenarios and write a report");
  add_selection(*run, run_options.selection);
  run->add_option("--jobs", run_options.jobs,
                  "Scenarios at a time (default: the number of cores, at least 2)")
      ->check(CLI::Validator(is_jobs, "1-256"));
  run->add_option("--report", run_options.report, "Folder for report.json, histories and logs")
      ->capture_default_str();
  run->add_option("--bin", run_options.bin, "Folder that ${bin} stands for (default: beside breakwire)");
  run->footer(exit_codes);
  run->callback([&] { code = run_command(run_options); });

  UpOptions up_options;
  auto* up = app.add_subcommand(
      "up", "Start a scenario's services with a relay on every edge, say where they are, and hold");
  up->add_option("FILE", up_options.file, "A scenario file")->required();
  up->add_option("--only", up_options.only, "The scenario with this id, where the file has several");
  up->add_option("--report", up_options.report, "Folder for logs (default: they are removed at the end)");
  up->add_option("--bin", up_options.bin, "Folder that ${bin} stands for (default: beside breakwire)");
  up->footer(
      "Exit codes: 0 ended by Ctrl-C, 1 a service ended by itself, 3 not everything became ready, 4 bad "
      "file or usage.");
  up->callback([&] { code = up_command(up_options); });

  Selection selection;
  auto* validate =
      app.add_subcommand("validate", "Read scenario files and say everything that is wrong with them");
  add_selection(*validate, selection);
  validate->callback([&] { code = validate_command(selection); });

  std::string what, name;
  auto* list = app.add_subcommand("list", "List the kinds of faults or checks");
  list->add_option("WHAT", what, "faults or checks")->required()->check(CLI::IsMember({"faults", "checks"}));
  list->callback([&] { code = list_command(what); });

  auto* explain = app.add_subcommand("explain", "Explain one kind of fault or check");
  explain->add_option("NAME", name, "Its name")->required();
  explain->callback([&] { code = explain_command(name); });

  auto* schema = app.add_subcommand("schema", "Print the JSON Schema of scenario files or of report.json");
  schema->add_option("WHAT", what, "scenario or report")
      ->required()
      ->check(CLI::IsMember({"scenario", "report"}));
  schema->callback([&] { code = schema_command(what); });

  auto* docs = app.add_subcommand("docs", "Print docs/faults.md or docs/checks.md");
  docs->add_option("WHAT", what, "faults or checks")->required()->check(CLI::IsMember({"faults", "checks"}));
  docs->callback([&] { code = docs_command(what); });

  if (argc > 1 && argv[1][0] != '-' && !is_known_command(app, argv[1])) return 4;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with exit code 0.
    return app.exit(error) == 0 ? 0 : 4;
  }
  return code;
}

}  // namespace
}  // namespace breakwire::cli

int main(int argc, char** argv) {
  try {
    return breakwire::cli::dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 3;
  }
}
