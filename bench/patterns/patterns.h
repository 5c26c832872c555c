// Patterns: the shop deployed in the ways of deploy/patterns, all measured alike on this machine.
// Single-threaded. Brings up what it measures, and takes it down.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/patterns/book.h"
#include "bench/patterns/costs.h"
#include "bench/patterns/patterns_options.h"
#include "bench/patterns/reads.h"
#include "runtime/base/result.h"

namespace subito::bench {

// What was not measured, and why; of a fault it is an error.
struct PatternGap {
  std::string pattern;
  std::string what;  // "start, crun"; empty: the pattern as such
  std::string reason;
};

struct PatternsResult {
  PatternsOptions options;
  std::uint64_t seed = 0;
  std::uint32_t instances = 0;
  Book book;
  ReadRun reads;
  std::vector<std::string> apart;  // emulated: their figures stand beside no others
  std::vector<PatternGap> left_out;
  std::vector<PatternGap> faults;
  Prices prices;
  bool interrupted = false;

  std::uint64_t errors() const { return faults.size(); }
};

// An error where nothing can be measured: no checkout, no prices, another run.
Result<PatternsResult> measure_patterns(const PatternsOptions& options);

// There are no promises: figures of ways to deploy, not of Subito alone.
inline bool promises_kept(const PatternsResult&) {
  return true;
}

nlohmann::ordered_json to_json(const PatternsResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const PatternsResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
