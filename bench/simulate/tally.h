// Tally: counts invocations as they end, for an Outcome. Part of the simulation, same thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/simulate/outcome.h"
#include "bench/simulate/workload.h"
#include "runtime/base/fetch_lines.h"
#include "runtime/base/large_memory.h"

namespace subito::simulate {

// Counts of slowdowns of one function: a bin for each eighth of an octave, from 1 to 65,536 and
// what is beyond. 512 bytes, where a Histogram takes 15 KiB.
class SlowdownBins {
 public:
  void record(std::int64_t thousandths);
  // The middle of the bin, as a ratio; 0 when empty.
  double percentile(double fraction) const;

 private:
  static constexpr std::size_t kPerOctave = 8;
  std::array<std::uint32_t, 16 * kPerOctave> counts_{};
};

class Tally {
 public:
  // `named`: all of the functions, or none. Those are told one by one, too.
  explicit Tally(std::size_t functions, std::span<const NamedFunction> named = {});

  // A hint: it is about to end.
  void fetch(std::uint32_t function) const { fetch_lines(&functions_[function], 1); }
  void arrived(std::uint32_t function);
  // `service`: what it takes without any waiting.
  void completed(std::uint32_t function, Duration waiting, Duration response, Duration service,
                 bool cold);
  void refused(std::uint32_t function, scheduler::RefuseReason reason);
  void cancelled(std::uint32_t function);
  void looped(std::uint32_t function);
  void failed(std::uint32_t function);
  void fill(Outcome& outcome);

 private:
  // Of a call that completed, yet to be counted.
  struct Times {
    std::int64_t waiting = 0;
    std::int64_t response = 0;
    std::int64_t slowdown = 0;
  };
  static constexpr std::size_t kPending = 64;

  void refused_with(std::uint32_t function, int status);
  void count_pending();

  std::vector<SlowdownBins, LargeMemory<SlowdownBins>> functions_;
  std::vector<FunctionOutcome> named_;
  Histogram waiting_;
  Histogram response_;
  Histogram slowdown_;
  std::array<Times, kPending> pending_;  // counted all at once: each misses the caches, together
  std::size_t pending_size_ = 0;
  std::uint64_t cold_ = 0;
  std::uint64_t cancelled_ = 0;
  std::uint64_t looped_ = 0;
  std::uint64_t failed_ = 0;
  std::vector<std::uint64_t> refused_;  // by RefuseReason
};

}  // namespace subito::simulate
