// Workload: who calls what, when, and for how long it runs: a stream of arrivals in order of time,
// made one by one, so that a day of millions of calls takes the memory of its functions only.
// Owned by whoever runs it, used by one thread. Begun again from the same plan it gives
// the same arrivals, whatever the policy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/simulate/distribution.h"
#include "runtime/base/time.h"
#include "scheduler/limits.h"

namespace subito::simulate {

struct Arrival {
  TimePoint at;
  std::uint32_t function = 0;  // index in Plan::functions
  Duration service{};          // what the call takes on a core of its own
};

class Workload {
 public:
  virtual ~Workload() = default;
  // False: there are no more. `at` never goes back.
  virtual bool next(Arrival& arrival) = 0;
};

struct FunctionFacts {
  std::uint64_t memory_bytes = 128'000'000;  // of one pod
};

// A call that each call of a function makes: its pod waits for the answer, on no core.
struct NestedCall {
  std::uint32_t function = 0;     // index in Plan::functions
  std::uint32_t thousandths = 0;  // of the caller's service, that are done before; 1000 at most
};

// A function that people know by name, and that may call others or be called by them.
struct NamedFunction {
  std::string name;
  std::vector<NestedCall> calls{};                         // in order; `thousandths` does not fall
  Distribution called = Distribution::fixed(Duration(1));  // service of calls by other functions
};

// What a workload is made from. It outlives the workloads.
struct Plan {
  std::string words;  // "poisson, 10 functions, 100 calls/s"
  std::vector<FunctionFacts> functions;
  // Of each function, or empty. With names results are told by function, too.
  std::vector<NamedFunction> named;
  // Unless the command line says otherwise the node is as `subito up` makes one: 256 pods, three
  // quarters of them for one function at most, functions share the cores by weight, and a call may
  // take 30 s.
  bool as_live = false;
  // Of each function, where the workload knows them; else empty, and those of the Setup hold.
  std::vector<scheduler::FunctionLimits> limits;
  Duration duration{};  // all arrivals are before it
  // Arrivals from `end` on are left out.
  std::function<std::unique_ptr<Workload>(TimePoint end)> begin;
};

}  // namespace subito::simulate
