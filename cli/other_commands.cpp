// Everything but `run`.
#include <cstdio>

#include "cli/commands.h"
#include "harness/scenario/read.h"
#include "reports/explain.h"
#include "reports/json_report.h"

namespace breakwire::cli {

int validate_command(const Selection& selection) {
  const Selected selected = select(selection);
  for (const auto& note : selected.notes) std::fprintf(stderr, "%s\n", note.c_str());
  for (const auto& [file, errors] : selected.bad) std::fputs(render(errors).c_str(), stderr);
  std::fputs(render(selected.wrong).c_str(), stderr);
  if (!selected.wrong.empty()) return 4;
  if (!selected.bad.empty()) {
    size_t count = 0;
    for (const auto& [file, errors] : selected.bad) count += errors.size();
    const size_t looked_at = std::max(selected.files, selected.bad.size());
    std::fprintf(stderr, "%zu error%s in %zu of %zu file%s\n", count, count == 1 ? "" : "s",
                 selected.bad.size(), looked_at, looked_at == 1 ? "" : "s");
    return 4;
  }
  if (selected.scenarios.empty()) {
    std::fputs("error: nothing to validate: no scenario file found\n", stderr);
    return 4;
  }
  std::printf("%zu scenario%s in %zu file%s: valid\n", selected.scenarios.size(),
              selected.scenarios.size() == 1 ? "" : "s", selected.files, selected.files == 1 ? "" : "s");
  return 0;
}

int list_command(const std::string& what) {
  std::fputs((what == "faults" ? reports::list_of_faults() : reports::list_of_checks()).c_str(), stdout);
  return 0;
}

int explain_command(const std::string& name) {
  // A name may be both: `latency` is a fault and a check.
  const auto* fault = faults::find_fault_kind(name);
  const auto* check = checks::find_check_kind(name);
  if (fault) std::fputs(reports::explain(*fault).c_str(), stdout);
  if (fault && check) std::fputs("\n\nand, as a check:\n\n", stdout);
  if (check) std::fputs(reports::explain(*check).c_str(), stdout);
  if (fault || check) return 0;
  auto known = faults::fault_kind_names();
  const auto checks = checks::check_kind_names();
  known.insert(known.end(), checks.begin(), checks.end());
  std::fputs(
      render(Error{.what = "there is no fault or check `" + name + "`", .hint = did_you_mean(name, known)})
          .c_str(),
      stderr);
  return 4;
}

int schema_command(const std::string& what) {
  const auto schema = what == "scenario" ? scenario::scenario_schema() : reports::report_schema();
  std::printf("%s\n", json::write(schema).c_str());
  return 0;
}

int docs_command(const std::string& what) {
  std::fputs((what == "faults" ? reports::faults_markdown() : reports::checks_markdown()).c_str(), stdout);
  return 0;
}

}  // namespace breakwire::cli
