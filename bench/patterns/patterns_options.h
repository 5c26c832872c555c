// The command line of `subito bench patterns`. Plain values, no thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/suites/suite_options.h"

namespace subito::bench {

struct PatternsOptions : SuiteOptions {
  std::vector<std::string> only;  // "0" to "5"; empty: all, quick: kQuickPatterns
  bool build = true;
  std::uint32_t connections = 8;
  std::uint32_t per_second = 200;
  std::string prices;    // empty: bench/patterns/prices.yaml of the checkout
  std::string checkout;  // empty: that of the build folder in which the program lies
};

inline const std::vector<std::string> kPatternNumbers = {"0", "1", "2", "3", "4", "5"};
inline const std::vector<std::string> kQuickPatterns = {"0", "2", "4", "5"};

void add_patterns(CLI::App& app, PatternsOptions& options);

}  // namespace subito::bench
