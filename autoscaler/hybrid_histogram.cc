#include "autoscaler/hybrid_histogram.h"

#include <limits>

namespace subito::autoscaler {

void HybridHistogram::observe(const Load& load) {
  if (in_flight_ == 0 && load.in_flight > 0) {
    if (called_) add(load.now - idle_since_);
    called_ = true;
  } else if (in_flight_ > 0 && load.in_flight == 0) {
    idle_since_ = load.now;
    window_ = next_window();
  }
  in_flight_ = load.in_flight;
}

// As all keep-alive systems: a pod for each invocation that finds none free.
StartAnswer HybridHistogram::on_waiting(const Demand& demand) {
  return {.start = true,
          .reason = demand.slots == 0 ? StartReason::kNothingRuns : StartReason::kNoPodFree};
}

Plan HybridHistogram::plan(const Load& load) {
  const bool stays = window_.from == Duration::zero();
  if (stays) return {.keep_idle = window_.until};
  if (in_flight_ > 0 || !called_) return {};
  const TimePoint from = idle_since_ + window_.from;
  const TimePoint until = idle_since_ + window_.until;
  if (load.now < from) return {.ask_again_at = from};
  if (load.now >= until) return {};
  return {.pods_wanted = 1, .ask_again_at = until, .reason = PlanReason::kExpected};
}

void HybridHistogram::add(Duration gap) {
  smoothed_.observe(gap);
  if (gap >= kRange) {
    ++out_of_bounds_;
    return;
  }
  if (!counts_) counts_ = std::make_unique<Counts>();
  std::uint16_t& count = (*counts_)[static_cast<std::size_t>(gap / kBin)];
  if (count == std::numeric_limits<std::uint16_t>::max()) halve();
  squares_ += 2 * std::uint64_t{count} + 1;
  ++count;
  ++in_bounds_;
}

void HybridHistogram::halve() {
  squares_ = 0;
  in_bounds_ = 0;
  out_of_bounds_ /= 2;
  for (std::uint16_t& count : *counts_) {
    count /= 2;
    squares_ += std::uint64_t{count} * count;
    in_bounds_ += count;
  }
}

HybridHistogram::Window HybridHistogram::next_window() const {
  if (in_bounds_ + out_of_bounds_ == 0) return {};
  if (out_of_bounds_ >= in_bounds_) {
    const Duration gap = smoothed_.mean();
    return {gap * 85 / 100, gap * 115 / 100};
  }
  // CV^2 = variance / mean^2 = bins * squares / sum^2 - 1, and CV < 2 is CV^2 < 4.
  const std::uint64_t sum = in_bounds_;
  if (kBins * squares_ < 5 * sum * sum) return {};
  return {static_cast<std::int64_t>(percentile_bin(5)) * kBin * 9 / 10,
          static_cast<std::int64_t>(percentile_bin(99) + 1) * kBin * 11 / 10};
}

// The first bin at which so many percent of the gaps in bounds are reached.
std::size_t HybridHistogram::percentile_bin(std::uint32_t percent) const {
  const std::uint64_t wanted = (std::uint64_t{in_bounds_} * percent + 99) / 100;
  std::uint64_t seen = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    seen += (*counts_)[bin];
    if (seen >= wanted) return bin;
  }
  return kBins - 1;
}

}  // namespace subito::autoscaler
