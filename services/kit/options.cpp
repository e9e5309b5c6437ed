#include "services/kit/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>

#include "services/kit/address.h"
#include "services/kit/durations.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;

CLI::Validator is_duration() {
  return CLI::Validator(
      [](const std::string& text) {
        return parse_duration(text) ? std::string()
                                    : "'" + text + "' is not a duration (write 150ms, 5s or 2m)";
      },
      "DURATION");
}

CLI::Validator is_listen_address() {
  return CLI::Validator(
      [](const std::string& text) {
        return parse_address(text) ? std::string()
                                   : "'" + text + "' is not HOST:PORT (write 127.0.0.1:50051)";
      },
      "HOST:PORT");
}

/// "50%" is 0.5; nothing for anything but a whole number of percent from 1 to 100.
std::optional<double> parse_percent(std::string_view text) {
  int percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc{} || std::string_view(end, text.data() + text.size()) != "%") return std::nullopt;
  return percent >= 1 && percent <= 100 ? std::optional(percent / 100.0) : std::nullopt;
}

CLI::Validator is_percent() {
  return CLI::Validator(
      [](const std::string& text) {
        return parse_percent(text) ? std::string() : "'" + text + "' is not a share (write 1% to 100%)";
      },
      "PERCENT");
}

/// The breaker's flags as text, since durations and shares are written with their units.
struct BreakerFlags {
  std::string ratio = "50%";
  std::string window = "1s";
  std::string open = "500ms";
  std::string probe = "2s";
};

void add_breaker_flags(CLI::App& app, BreakerFlags& flags, BreakerOptions& breaker) {
  app.add_option("--breaker-ratio", flags.ratio, "A circuit opens when so many of the calls fail")
      ->check(is_percent())
      ->capture_default_str();
  app.add_option("--breaker-calls", breaker.minimum_calls, "And when there were at least so many")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  app.add_option("--breaker-window", flags.window, "Within the last so much time")
      ->check(is_duration())
      ->capture_default_str();
  app.add_option("--breaker-open", flags.open,
                 "How long an open circuit sheds calls before it lets a probe through")
      ->check(is_duration())
      ->capture_default_str();
  app.add_option("--breaker-probe", flags.probe, "A probe that has not ended by then has failed")
      ->check(is_duration())
      ->capture_default_str();
}

CLI::Validator is_flaw_list(const ServiceDescription& service) {
  return CLI::Validator(
      [&service](const std::string& text) {
        auto flaws = parse_flaws(text, service.possible_flaws);
        return std::holds_alternative<Flaws>(flaws) ? std::string() : std::get<std::string>(flaws);
      },
      "NAME,…");
}

std::string flaw_help(const ServiceDescription& service) {
  std::string text = "Flaws (--flaw=NAME,…), each of which switches one discipline off:\n";
  for (const auto& description : all_flaws()) {
    if (std::ranges::find(service.possible_flaws, description.flaw) == service.possible_flaws.end()) continue;
    std::string name(description.name);
    name.resize(26, ' ');
    text += "  " + name + std::string(description.switches_off) + "\n";
  }
  return text;
}

}  // namespace

int cannot_start(const std::string& name, const std::string& what) {
  std::string line = name + ": " + what + "\n";
  std::fputs(line.c_str(), stderr);
  return 2;
}

std::variant<Options, Leave> parse_options(int argc, const char* const* argv,
                                           const ServiceDescription& service) {
  Options options{.name = service.name};
  std::string grace = "4s";
  std::string lame_duck = "150ms";
  std::string default_deadline = "1s";
  std::string flaws;
  BreakerFlags breaker;

  CLI::App app(service.purpose, service.name);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  app.add_option("--listen", options.listen, "Where to serve; port 0 takes a free one")
      ->required()
      ->check(is_listen_address());
  app.add_option("--metrics", options.metrics,
                 "Where to serve Prometheus metrics (/metrics); port 0 takes a free one")
      ->check(is_listen_address());
  for (const auto& [flag, help] : service.dependencies)
    app.add_option("--" + flag, options.dependencies[flag], help)->required();
  app.add_option("--grace", grace, "From SIGTERM to the exit, at most")
      ->check(is_duration())
      ->capture_default_str();
  app.add_option("--lame-duck", lame_duck,
                 "How long to say NOT_SERVING and still accept calls before the drain")
      ->check(is_duration())
      ->capture_default_str();
  app.add_option("--default-deadline", default_deadline, "The deadline of calls that arrive without one")
      ->check(is_duration())
      ->capture_default_str();
  if (service.breakers) add_breaker_flags(app, breaker, options.breaker);
  app.add_option("--flaw", flaws, "Disciplines to switch off")->expected(0, 1)->check(is_flaw_list(service));
  app.footer(flaw_help(service));

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return Leave{0};
  } catch (const CLI::ParseError& error) {
    return Leave{cannot_start(service.name, std::string(error.what()) + "; see " + service.name + " --help")};
  }
  for (const auto& [flag, value] : options.dependencies)
    if (value.empty())
      return Leave{cannot_start(service.name, "--" + flag + " is empty; give it an address")};

  options.grace = *parse_duration(grace);
  options.lame_duck = *parse_duration(lame_duck);
  options.default_deadline = *parse_duration(default_deadline);
  options.breaker.failure_ratio = *parse_percent(breaker.ratio);
  options.breaker.window = *parse_duration(breaker.window);
  options.breaker.open_period = *parse_duration(breaker.open);
  options.breaker.probe_patience = *parse_duration(breaker.probe);
  options.flaws = std::get<Flaws>(parse_flaws(flaws, service.possible_flaws));
  if (options.lame_duck >= options.grace)
    return Leave{cannot_start(service.name, "--lame-duck must be shorter than --grace")};
  if (std::min({options.breaker.window, options.breaker.open_period, options.breaker.probe_patience}) <= 0ms)
    return Leave{cannot_start(service.name, "--breaker-window, -open and -probe must be longer than 0")};
  return options;
}

}  // namespace breakwire::kit
