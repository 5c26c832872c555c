// The functions that suites of starts and density measure, and what each answers. Plain values and
// functions, one thread.
//
//   empty      an answer without a body: what the runtime alone costs
//   catalogue  the shop's catalogue, a product read from the node's Redis
//   heavy      100 ms of CPU time and 64 MiB of memory before it serves
//   json       100 KiB of JSON
//   held       an answer without a body after 250 ms: in a burst no pod has two calls
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/http_client.h"
#include "bench/node_client.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct MeasuredFunction {
  std::string name;    // as --function says it
  std::string binary;  // path
  std::string path;    // asked for by GET
  std::string body;    // what each answer must be; of the catalogue only once it was seeded
  bool redis = false;  // reads from a Redis: the node's, or BareRedis without one
  std::uint64_t pod_bytes = 0;  // what a pod takes beside the runtime, to bound how many there are
  std::chrono::nanoseconds hold{0};  // of a call's time spent in waiting on purpose
};

inline const std::vector<std::string> kFunctionNames = {"empty", "catalogue", "heavy", "json"};
inline constexpr const char* kHeldFunction = "held";
inline const std::vector<std::string> kBurstFunctionNames = {"empty", "catalogue", "heavy", "json",
                                                             kHeldFunction};

// kNotFound, and what to build, where its binary is not beside the program.
Result<MeasuredFunction> measured_function(const std::string& name);

// Where a function that reads from Redis is told by POST to make what it answers with.
inline constexpr const char* kSeedPath = "/seed";

// At most as many pods as half of the available memory holds.
std::uint32_t pods_that_fit(const MeasuredFunction& function, std::uint32_t wanted);

// Of a deployed copy: makes the data it answers with, and learns what that is.
Status seed_function(const ServerAddress& gateway, const std::string& deployed,
                     MeasuredFunction& function);

// The lines of a manifest's spec that grant it what it needs, indented by two; empty: none.
std::string bindings_of(const MeasuredFunction& function);

}  // namespace subito::bench
