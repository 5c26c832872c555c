// The command lines of the suites, parsed and with their defaults. Plain values, no thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/common_options.h"

namespace subito::bench {

// What every suite of paired slices takes.
struct SuiteOptions : CommonOptions {
  std::uint32_t rounds = 7;                                  // each: a pair of slices a peer
  std::chrono::nanoseconds slice = std::chrono::seconds(1);  // time of one
  bool quick = false;                                        // kQuickRounds of kQuickSlice
  std::optional<std::uint64_t> seed;                         // of the order
};

struct SelfCheckOptions : SuiteOptions {
  std::uint32_t connections = 16;
};

struct ThroughputOptions : SuiteOptions {
  std::vector<std::string> peers;  // beside nginx, names of peer_plans()
  bool observed = false;           // what seeing inside costs, instead
  std::vector<std::uint32_t> connections = {1, 16, 64};
};

struct LatencyOptions : SuiteOptions {
  std::vector<std::string> peers;  // as of ThroughputOptions
  std::uint32_t connections = 64;
  std::uint32_t per_second = 0;                        // 0: shares of what the slower one can do
  std::vector<std::uint32_t> percents = {10, 50, 80};  // the shares
};

struct ChainOptions : SuiteOptions {
  std::vector<std::uint32_t> connections = {1};
};

// What suites of starts measure: names of kFunctionNames (measured_functions.h), in BurstOptions of
// kBurstFunctionNames.
struct StartOptions : CommonOptions {
  std::vector<std::string> functions = {"empty"};
};

struct BurstOptions : StartOptions {
  BurstOptions() { functions.emplace_back("held"); }

  std::uint32_t rounds = 10;
  std::vector<std::uint32_t> at_once = {10, 100};
  std::optional<std::uint64_t> seed;  // of the order
};

struct ChurnOptions : StartOptions {
  std::uint32_t rounds = 5;
  std::chrono::nanoseconds time = std::chrono::seconds(3);  // of each row of a round
  std::uint32_t connections = 4;                            // callers at once
  std::uint32_t pods = 64;                                  // at most at once
  std::optional<std::uint64_t> seed;                        // of the order
};

struct DensityOptions : StartOptions {
  std::uint32_t pods = 100;
};

inline constexpr std::uint32_t kBurstMost = 700;  // a process has 1024 descriptors
inline constexpr std::uint32_t kDensityPodsMax = 1'000;
inline constexpr std::uint32_t kQuickRounds = 3;
inline constexpr std::chrono::milliseconds kQuickSlice{300};
inline constexpr std::chrono::milliseconds kSliceMin{50};
inline constexpr std::uint32_t kConnectionsMax = 400;  // a process has 1024 descriptors
inline constexpr std::uint32_t kPerSecondMax = 1'000'000;

struct SuiteCommands {
  SelfCheckOptions self_check;
  ThroughputOptions throughput;
  LatencyOptions latency;
  ChainOptions chain;
  BurstOptions burst;
  ChurnOptions churn;
  DensityOptions density;
};
void add_suites(CLI::App& app, SuiteCommands& commands);

// --function: names of `known`, or `all` of them.
void add_functions(CLI::App& command, std::vector<std::string>& functions, const char* words,
                   const std::vector<std::string>& known);
// --rounds, --slice, --quick, --seed and the output, for a suite of paired slices.
void add_slices(CLI::App& command, SuiteOptions& options);

}  // namespace subito::bench
