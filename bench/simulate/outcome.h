// Outcome: what one run came to. Plain values; Tally and PodBooks fill it in, the reports show it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/histogram.h"
#include "runtime/base/time.h"
#include "scheduler/effects.h"

namespace subito::simulate {

// Of one function with a name.
struct FunctionOutcome {
  std::string name;
  std::uint64_t arrived = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::map<int, std::uint64_t> refused;  // by HTTP status, of those that were met
  Histogram response;                    // as in Outcome
  Histogram slowdown;
};

struct Outcome {
  std::string policy;      // "instant"
  std::string cold_start;  // "1 ms"
  Duration duration{};     // of the workload: nothing of pods is counted behind it
  Duration covered{};      // how far it came: `duration`, unless interrupted
  bool interrupted = false;

  // --- invocations
  std::uint64_t arrived = 0;
  std::uint64_t completed = 0;
  std::uint64_t cold = 0;  // of the completed: waited for the start of the pod that ran it
  std::vector<std::uint64_t> refused;  // by RefuseReason; those behind the last that was met: 0
  std::uint64_t cancelled = 0;         // their deadline passed in a pod
  std::uint64_t looped = 0;  // calls between functions that went round or too deep: refused, 508
  std::uint64_t failed = 0;  // a call that they made was refused, or who made them is gone
  Histogram waiting;         // ns from arrival to its first instruction
  Histogram response;        // ns from arrival to its end
  Histogram slowdown;        // thousandths: response over service, that of its own calls included
  // Geometric mean over the functions that were called of each one's 99th percentile of slowdown,
  // within a twelfth (a sixteenth of an octave): each function counts the same, however seldom.
  double slowdown_p99_functions = 0;
  std::vector<FunctionOutcome> functions;  // of a plan with names

  // --- pods
  std::uint64_t starts = 0;
  std::uint64_t pods_peak = 0;  // in any state
  double pod_seconds = 0;       // from the decision to start to the exit
  double gb_seconds_used = 0;   // memory of pods that ran something
  double gb_seconds_idle = 0;   // memory of pods that started, were idle or went
  // Pods in any state, the mean of each bucket.
  std::vector<double> pods_over_time;
  Duration bucket{};

  std::uint64_t digest = 0;  // of every arrival, effect and end, in order
  double cpu_seconds = 0;    // of this machine, that the run took; in no digest

  std::uint64_t refused_all() const;
  std::uint64_t lost() const;        // all that did not complete
  double cold_share() const;         // of the completed; 0 of none
  double starts_per_second() const;  // over `covered`
};

}  // namespace subito::simulate
