// IdleCost: what a private node takes while nothing happens, and how much more with many functions
// deployed and asleep. Each function has a binary of its own, so that nothing is shared that real
// ones would not share. Single-threaded.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/machine.h"
#include "bench/options.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct GroupMemory {
  std::uint32_t processes = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t pss_bytes = 0;  // shared pages shared out, proc(5)
};

// `sandboxes` by PSS leaves the kernel's memory out; `empty_bytes`, from the API, has it in.
struct IdleMemory {
  GroupMemory node;
  GroupMemory launcher;
  GroupMemory network_maker;  // the launcher's own child
  GroupMemory sandboxes;
  GroupMemory redis;
  std::uint64_t empty_bytes = 0;

  // Node and launcher by RSS, as the bench is the same program and would halve their PSS; the
  // network maker, a copy of the launcher, by PSS; empty sandboxes with their kernel memory.
  std::uint64_t total_bytes() const {
    return node.rss_bytes + launcher.rss_bytes + network_maker.pss_bytes + empty_bytes;
  }
};

struct IdleCostResult {
  std::uint32_t functions = 0;
  std::uint32_t empty_sandboxes = 0;
  IdleMemory without;
  IdleMemory with;
};

inline constexpr std::uint64_t kIdleBytesMax = 20'000'000;     // the promise for an idle node
inline constexpr std::int64_t kFunctionsBytesMax = 5'000'000;  // and for 100 functions asleep

Result<IdleCostResult> measure_idle_cost(const IdleCostOptions& options);

bool promises_kept(const IdleCostResult& result);

// Of the process and all its descendants; empty_bytes is left at 0.
IdleMemory measure_tree(int node_pid);

nlohmann::ordered_json to_json(const IdleCostResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const IdleCostResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
