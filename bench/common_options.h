// What every command line of `subito bench` takes. Plain values, no thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace CLI {
class App;
}

namespace subito::bench {

// How a pod may start, as manifests spell it; the first is the default.
inline const std::vector<std::string> kStartModes = {"pooled", "fresh", "template"};

inline constexpr std::uint32_t kRoundsMax = 1'000;
inline constexpr std::chrono::seconds kIdleMax{600};

struct CommonOptions {
  std::uint32_t pool_size = 8;
  std::string binary;  // of the function; empty: functions/echo beside the program
  bool json = false;
  bool check = false;  // a promise that was missed is a failure
  std::string report;  // FILE.md; FILE.json goes beside it
};

// "0s", "250ms", "1.5s", "2m"
Result<std::chrono::nanoseconds> parse_duration(const std::string& text);

// The same of an option's value; throws what CLI11 shows to the person who typed it.
std::chrono::nanoseconds duration_or_throw(const char* option, const std::string& text);

// --output, --check, --report
void add_output(CLI::App& command, CommonOptions& options);
// --pool
void add_pool(CLI::App& command, CommonOptions& options);

}  // namespace subito::bench
