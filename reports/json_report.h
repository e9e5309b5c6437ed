// report.json: the machine's view of a run. Pure.
//
// Invariant: additive changes raise the minor version, anything else the major one; units are in key names.
#pragma once

#include <string>

#include "base/json.h"
#include "harness/run/result.h"

namespace breakwire::reports {

inline constexpr const char* report_format = "breakwire.report";
inline constexpr const char* report_version = "1.1.0";

json::Value to_json(const run::RunResult& result);
/// The whole file, with a newline at its end.
std::string json_report(const run::RunResult& result);
/// What every report.json keeps to: JSON Schema, draft 2020-12. Strict: a key that is not in it is an error.
json::Value report_schema();

}  // namespace breakwire::reports
