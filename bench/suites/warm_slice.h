// A slice of a warm suite: whom is asked, for what, on how many connections, and what that took of
// the processes that served it. Plain functions, one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/kit/paired.h"
#include "bench/suites/answers.h"

namespace subito::bench {

struct WarmPeer {
  std::string name;
  std::string what;  // in words
  ServerAddress server;
  std::string base;              // in front of the answer's path
  std::vector<pid_t> processes;  // with their descendants they are charged for the answers
  bool other_language = false;   // a host of functions in another one: told apart
};

struct MissingPeer {
  std::string name;
  std::string reason;
};

// What a slice asks for.
struct Scenario {
  NamedAnswer answer = kEmptyAnswer;
  std::uint32_t connections = 1;
  double per_second = 0;  // 0: closed loop
};

Traffic traffic_of(const WarmPeer& peer, const Scenario& scenario);
// A slice of it: connections made, each asked once, then the time that counts.
Result<Slice> measure_slice(const WarmPeer& peer, const Scenario& scenario,
                            std::chrono::nanoseconds time);
// `peers`: the reference first.
Result<PairRun> run_scenario(const std::vector<WarmPeer>& peers, const Scenario& scenario,
                             const PairPlan& plan, const PairProgress& progress);

}  // namespace subito::bench
