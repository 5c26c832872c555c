// The command lines of `subito bench`, parsed and with their defaults. Plain values, no thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/common_options.h"
#include "bench/patterns/patterns_options.h"
#include "bench/peers/peers_command.h"
#include "bench/reading/reading.h"
#include "bench/suites/suite_options.h"
#include "runtime/base/result.h"

namespace subito::bench {

// What `bench cold-start` can time, in the order of its table.
inline const std::vector<std::string> kColumnNames = {
    "spawn",    "spawn-again",  "clone",           "crun",        "runc",
    "bwrap",    "fresh",        "fresh-new",       "pooled",      "pooled-new",
    "template", "template-new", "socket-activate", "lighttpd-cgi"};

inline bool in_container(const std::string& column) {
  return column == "crun" || column == "runc" || column == "bwrap";
}

// Of our own start modes: those that a node answers.
inline bool by_node(const std::string& column) {
  return column.starts_with("fresh") || column.starts_with("pooled") ||
         column.starts_with("template");
}

struct ColdStartOptions : CommonOptions {
  std::uint32_t count = 50;  // starts of each column
  std::vector<std::string> columns = kColumnNames;
  std::chrono::nanoseconds idle{0};  // rest before each start
  bool quiet = false;                // rest until other work pauses, see quiet.h
  std::string path = "/";
  std::vector<std::string> functions;  // of kFunctionNames; empty: `binary`
  bool cold_cache = false;  // the binary's pages are dropped from the page cache before each start
  bool after_deploy = false;  // a new binary is deployed before each start by the node
  bool breakdown = false;     // the steps of a start instead, see breakdown.h
  std::string node_socket;    // a running node's API; empty: a private node
  std::optional<std::uint64_t> seed;
};

struct IdleCostOptions : CommonOptions {
  std::uint32_t functions = 100;
};

struct FairnessOptions : CommonOptions {
  std::uint32_t rounds = 5;
  std::chrono::nanoseconds time = std::chrono::seconds(4);  // of each half of a round
  std::uint32_t per_second = 20;                            // requests of the quiet function
  std::uint32_t burn_ms = 5;                                // CPU time that a request takes
  std::uint32_t pods = 192;                                 // most of the flooded function
  std::optional<std::uint64_t> seed;                        // of the bootstrap
};

struct StepOptions : CommonOptions {
  std::uint32_t rounds = 10;
  std::uint32_t concurrent = 200;     // calls at once
  std::uint32_t burn_ms = 20;         // CPU time that each takes
  std::optional<std::uint32_t> pods;  // most of the function; else as many as calls
  std::optional<std::uint64_t> seed;  // of the bootstrap

  std::uint32_t pods_max() const { return pods.value_or(concurrent); }
};

struct ShopOptions : CommonOptions {
  enum class Mode {
    kMix,       // what customers of a shop do, by weights
    kOriginal,  // the load test of the shop that this one is rebuilt from
    kLatency,   // an order and a first page beside an empty function
  };
  Mode mode = Mode::kMix;
  std::string shop;                                          // FOLDER; empty: shop beside bin/
  std::uint32_t per_second = 30;                             // requests of mix and original
  std::chrono::nanoseconds time = std::chrono::seconds(30);  // of mix and original
  std::uint32_t rounds = 20;                                 // of latency
  std::optional<std::uint64_t> seed;                         // of all that is drawn
};

inline constexpr std::uint32_t kConcurrentMax = 700;  // a process has 1024 descriptors
inline constexpr std::uint32_t kPodsMax = 1'000;
inline constexpr std::uint32_t kCountMax = 100'000;
inline constexpr std::uint32_t kFunctionsMax = 2'000;

// One of them: what was asked for. kInvalidArgument with words for the person who typed it;
// kCancelled with the help text when that was asked for.
struct BenchCommand {
  std::optional<ColdStartOptions> cold_start;
  std::optional<IdleCostOptions> idle_cost;
  std::optional<FairnessOptions> fairness;
  std::optional<StepOptions> step;
  std::optional<ShopOptions> shop;
  std::optional<SelfCheckOptions> self_check;
  std::optional<ThroughputOptions> throughput;
  std::optional<LatencyOptions> latency;
  std::optional<ChainOptions> chain;
  std::optional<BurstOptions> burst;
  std::optional<ChurnOptions> churn;
  std::optional<DensityOptions> density;
  std::optional<PageOptions> page;
  std::optional<CompareOptions> compare;
  std::optional<PeersOptions> peers;
  std::optional<PatternsOptions> patterns;
};
Result<BenchCommand> parse_bench(std::vector<std::string> arguments);
// Shows the parser, for help and references. The hook of the command line.
void see_bench(const std::function<void(CLI::App&)>& see);

}  // namespace subito::bench
