// HybridHistogram: keep-alive and pre-warming by what the gaps between a function's calls were.
// After Shahrad et al., "Serverless in the Wild", USENIX ATC'20, section 4. A gap is the time from
// the end of the last invocation in flight to the next arrival; it goes into bins of one minute
// over four hours. When the function falls idle, the first of these rules that holds decides:
//
//   no gap seen yet              keep the pods for 4 h
//   half the gaps or more        out of the histogram's bounds: expect the next after the smoothed
//   were of 4 h and above        gap g: no pod until 0.85 g, then one until 1.15 g
//   bin counts with a            keep the pods for 4 h: the gaps have no shape to go by
//   coefficient of variation < 2
//   else                         no pod until 0.9 of the 5th percentile (rounded down to a minute),
//                                then one until 1.1 of the 99th (rounded up). Where that first part
//                                is 0 the pods just stay until then.
//
// Worked: gaps of 10.2 minutes all the time. 5th percentile 10 min, 99th 11 min: the pods go, one
// comes back at 9 min and stays until 12.1 min; the call at 10.2 finds it.
//
// Not the paper's: for gaps out of bounds it fits an ARIMA model; here it is a plain exponentially
// smoothed gap (Estimate). Counts are halved when one reaches 65,535, so that they age.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "autoscaler/estimate.h"
#include "autoscaler/policy.h"

namespace subito::autoscaler {

class HybridHistogram final : public Policy {
 public:
  static constexpr std::size_t kBins = 240;
  static constexpr Duration kBin = std::chrono::minutes(1);
  static constexpr Duration kRange = kBins * kBin;

  void observe(const Load& load) override;
  StartAnswer on_waiting(const Demand& demand) override;
  Plan plan(const Load& load) override;

 private:
  using Counts = std::array<std::uint16_t, kBins>;
  // No pod before `from`, one until `until`, both counted from the end of the last invocation.
  struct Window {
    Duration from{};
    Duration until = kRange;
  };

  void add(Duration gap);
  void halve();
  Window next_window() const;
  std::size_t percentile_bin(std::uint32_t percent) const;

  std::unique_ptr<Counts> counts_;  // made at the first gap
  std::uint64_t squares_ = 0;       // of the counts, summed
  std::uint32_t in_bounds_ = 0;     // the counts, summed
  std::uint32_t out_of_bounds_ = 0;
  std::uint32_t in_flight_ = 0;
  bool called_ = false;
  TimePoint idle_since_{};
  Window window_;
  Estimate smoothed_;
};

}  // namespace subito::autoscaler
