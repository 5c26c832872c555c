// Neighbour: the echo function deployed in a pattern's own way, asked without pause to burn CPU
// time by a process of ours: what the shop's readers notice of it. One thread.
#pragma once

#include <cstdint>

#include "bench/kit/paired.h"
#include "bench/patterns/book.h"
#include "bench/patterns/running.h"

namespace subito::bench {

inline constexpr std::uint32_t kNeighbourBurnMs = 20;  // a request of its
inline constexpr std::uint32_t kNeighbourTurns = 3;    // quiet, then beside it

// kNotFound, and why, where it would tell nothing.
Result<TrafficResult> measure_neighbour(const Running& running, double per_second, Book& book);

}  // namespace subito::bench
