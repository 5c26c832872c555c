// Breakdown: what isolation costs, step by step, without node, event loop and HTTP. A launcher of
// the bench's own makes the sandboxes, as a node's would. In one interleaved run, from the decision
// to the last byte of the answer:
//
//   spawn               posix_spawn of the same binary
//   fresh               a sandbox made for it
//   fresh, net reused   the same with the network namespace of a dead one
//   pooled              a sandbox that waited for it
//
// and each step that the launcher tells of `fresh`. Needs root. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/options.h"
#include "bench/statistics.h"

namespace subito::bench {

struct BreakdownRow {
  std::string name;
  Samples samples;  // ns
};

struct BreakdownResult {
  std::string function;  // its binary's name
  std::uint32_t rounds = 0;
  std::vector<BreakdownRow> starts;
  std::vector<BreakdownRow>
      steps;  // of `fresh`, in their order; one that never happened is left out
  bool interrupted = false;

  std::uint32_t errors() const { return 0; }  // the first one ends the run
};

// Before each start: what came before has ended, and its cleaning up too.
inline constexpr std::chrono::milliseconds kBreakdownRest{10};

Result<BreakdownResult> measure_breakdown(const ColdStartOptions& options);

inline bool promises_kept(const BreakdownResult&) {
  return true;  // none is made of a step
}

nlohmann::ordered_json to_json(const BreakdownResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const BreakdownResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
