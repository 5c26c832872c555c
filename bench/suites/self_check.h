// SelfCheck: whether our load generator says the same of an nginx as wrk and h2load do, each with
// as many connections and one thread, in paired slices. Single-threaded.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench/kit/paired.h"
#include "bench/machine.h"
#include "bench/suites/suite_options.h"

namespace subito::bench {

struct SelfCheckResult {
  SelfCheckOptions options;
  std::uint64_t seed = 0;
  std::string reference;                                     // wrk, else h2load
  std::vector<std::pair<std::string, std::string>> missing;  // a tool, and why
  PairRun pairs;
  bool interrupted = false;

  std::uint64_t errors() const { return pairs.errors(); }
  Spread ratio(const std::string& name) const;  // requests a second over the reference
};

inline constexpr double kSelfCheckOffMax = 0.10;  // the promise: so far from 1 at most

// kNotFound, and what to install, without nginx or with neither tool.
Result<SelfCheckResult> measure_self_check(const SelfCheckOptions& options);

bool promises_kept(const SelfCheckResult& result);

// What they print, as a slice; every answer that failed is an error of it.
Result<Slice> parse_wrk(const std::string& output);
Result<Slice> parse_h2load(const std::string& output);

nlohmann::ordered_json to_json(const SelfCheckResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const SelfCheckResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
