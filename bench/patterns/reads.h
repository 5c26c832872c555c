// Reads: GET /products of a shop that is up, the load that all patterns get alike; warm ones side
// by side. One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/kit/paired.h"
#include "bench/patterns/book.h"
#include "bench/patterns/running.h"

namespace subito::bench {

struct ReadPlan {
  PairPlan pairs;
  std::uint32_t connections = 8;
  double per_second = 200;  // of the open loop
};

// With the body that the shop answers now; kProtocol unless it answers 200.
Result<Traffic> reads_of(const Running& running, std::uint32_t connections, double per_second);

// A slice of it: connections made in the shop's network, each asked once, then the time that
// counts. `load_bytes`: set to the memory of the pattern while they are open; may be null.
Result<Slice> read_slice(const Running& running, const Traffic& traffic,
                         std::chrono::nanoseconds time, std::uint64_t* load_bytes = nullptr);

struct ReadRun {
  std::string reference;
  double noise = 1;  // how far the reference was from itself at most, throughput and p50
  std::uint64_t errors = 0;
  std::string first_error;
  bool interrupted = false;
};

// Closed loop, then at the fixed rate: slices of each beside one of the reference, which is
// 2-processes or, without it, the first; the reference is measured against itself too.
Result<ReadRun> measure_reads(const std::vector<const Running*>& all, const ReadPlan& plan,
                              Book& book, const PairProgress& progress);

// Of one that stands beside no other: an emulated machine. No ratios.
Result<ReadRun> measure_reads_alone(const Running& running, const ReadPlan& plan, Book& book);

// Microseconds; none where there were too few answers to tell.
std::optional<double> percentile_us(const TrafficResult& traffic, double fraction);

}  // namespace subito::bench
