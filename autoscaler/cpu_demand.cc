#include "autoscaler/cpu_demand.h"

#include <algorithm>

namespace subito::autoscaler {

void CpuDemand::observe(const CpuUse& use, Duration service) {
  if (use.cpu <= Duration::zero() || service <= Duration::zero()) return;
  const Duration cpu = std::min(use.cpu, service);
  const Duration waited = std::clamp(use.waited, Duration::zero(), service - cpu);
  cpu_.observe(cpu);
  apart_.observe(service - cpu - waited);
}

std::uint32_t CpuDemand::worth(std::uint32_t cores) const {
  if (cores == 0 || cpu_.count() < kObservationsMin) return kAny;
  // In microseconds, at least 1: a day is 9 * 10^10, times 4,096 cores 4 * 10^14.
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto on_core = std::max<std::int64_t>(duration_cast<microseconds>(cpu_.mean()).count(), 1);
  const auto apart = duration_cast<microseconds>(apart_.mean()).count();
  const std::int64_t worth = (std::int64_t{cores} * (on_core + apart) + on_core - 1) / on_core;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(worth, kAny));
}

}  // namespace subito::autoscaler
