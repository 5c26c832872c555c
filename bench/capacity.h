// Capacity: what a node can do at most, measured. Blocking.
#pragma once

#include <chrono>
#include <string>

#include "bench/http_client.h"
#include "runtime/base/result.h"

namespace subito::bench {

inline constexpr std::chrono::seconds kCapacityTime{2};

// Answers with 200 a second to GET of that path, with all cores busy. The function's pods must stay
// for a while when idle: they are started by requests that do not count.
Result<double> measure_capacity(const ServerAddress& gateway, const std::string& path);

}  // namespace subito::bench
