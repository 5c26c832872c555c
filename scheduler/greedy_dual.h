// GreedyDual: which idle pod a full node gives up first, after FaasCache (Fuerst and Sharma,
// ASPLOS'21). Lives inside the Ledger; integers.
//
//   priority = clock + uses * start / memory        when a pod falls idle
//   clock    = priority of the last that was given up
//
// The lowest goes. A pod is worth more the more its function is used, the longer another takes to
// start, and the less memory it holds; as the clock rises with each that goes, what has not been
// used for long is overtaken by what is used now, however dear it once was.
//
// Worked, per MiB: 1,000 uses of a function that starts in 1 ms and holds 128 MiB are 7,812,500 ns;
// one use of one that starts in 250 ms and holds 512 MiB is 488,281 ns: it goes first.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/base/time.h"

namespace subito::scheduler {

class GreedyDual {
 public:
  using Priority = std::uint64_t;

  // `uses`: invocations since the function last had no pod. Memory of one pod.
  Priority priority(std::uint32_t uses, Duration start, std::uint64_t memory_bytes) const {
    const std::uint64_t counted = std::min(uses, kUsesMax);
    const auto cost =
        static_cast<std::uint64_t>(std::clamp<Duration>(start, {}, kStartMax).count());
    return clock_ + counted * cost / std::max<std::uint64_t>(memory_bytes >> 20, 1);
  }
  void given_up(Priority priority) { clock_ = std::max(clock_, priority); }
  Priority clock() const { return clock_; }

 private:
  // Their product stays below 2^57: a clock of 64 bits lasts.
  static constexpr std::uint32_t kUsesMax = 1u << 20;
  static constexpr Duration kStartMax = std::chrono::seconds(100);

  Priority clock_ = 0;
};

}  // namespace subito::scheduler
