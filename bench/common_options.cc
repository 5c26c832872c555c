#include "bench/common_options.h"

#include <CLI/CLI.hpp>
#include <charconv>

namespace subito::bench {

Result<std::chrono::nanoseconds> parse_duration(const std::string& text) {
  double number = -1;
  const char* end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  const std::string_view rest(unit, static_cast<std::size_t>(end - unit));
  const double seconds = rest == "ms" ? 1e-3 : rest == "s" ? 1.0 : rest == "m" ? 60.0 : -1.0;
  const double all = number * seconds;
  if (error != std::errc() || number < 0 || seconds < 0 ||
      all > std::chrono::duration<double>(kIdleMax).count()) {
    return fail(ErrorCode::kInvalidArgument,
                "is '" + text + "', allowed is a time up to 10m: 250ms, 5s");
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(all * 1e9));
}

std::chrono::nanoseconds duration_or_throw(const char* option, const std::string& text) {
  auto parsed = parse_duration(text);
  if (!parsed) throw CLI::ValidationError(option, parsed.error().message);
  return *parsed;
}

void add_output(CLI::App& command, CommonOptions& options) {
  command
      .add_option_function<std::string>(
          "-o,--output", [&options](const std::string& form) { options.json = form == "json"; },
          "table for people, json for programs")
      ->check(CLI::IsMember({"table", "json"}));
  command.add_flag("--check", options.check, "end with 1 when a promise is MISSED");
  command.add_option("--report", options.report, "also write FILE.md, and FILE.json beside it")
      ->type_name("FILE");
}

void add_pool(CLI::App& command, CommonOptions& options) {
  command.add_option("--pool", options.pool_size, "empty sandboxes that the private node keeps")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
}

}  // namespace subito::bench
