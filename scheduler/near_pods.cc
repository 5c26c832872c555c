#include "scheduler/near_pods.h"

#include <utility>

#include "runtime/base/check.h"

namespace subito::scheduler {

bool NearPods::on_busy(PodId id, TimePoint now) {
  Pod& pod = pods_[id];
  CHECK(!pod.busy);
  pod.busy = true;
  pod.ended = now;
  pod.counted = pod.brief && busy_near_ < kBusyMax;
  busy_near_ += static_cast<std::uint32_t>(pod.counted);
  return pod.counted;
}

bool NearPods::on_end(PodId id, TimePoint now) {
  const auto found = pods_.find(id);
  CHECK(found != pods_.end() && found->second.busy);
  Pod& pod = found->second;
  const Duration took = now - std::exchange(pod.ended, now);
  ++pod.calls;
  return pod.calls >= pod.ask_at || (pod.brief && took >= kLongCall);
}

void NearPods::on_idle(PodId id) {
  const auto found = pods_.find(id);
  CHECK(found != pods_.end() && found->second.busy);
  Pod& pod = found->second;
  pod.busy = false;
  busy_near_ -= static_cast<std::uint32_t>(pod.counted);
  pod.counted = false;
}

bool NearPods::ran(PodId id, const Running& total, TimePoint now) {
  const auto found = pods_.find(id);
  if (found == pods_.end()) return false;
  Pod& pod = found->second;
  const Duration on_core = total.on_core - pod.ran.on_core;
  const auto stretches = static_cast<std::int64_t>(total.stretches - pod.ran.stretches);
  const Duration passed = now - pod.asked;
  pod.ran = total;
  pod.asked = now;
  pod.calls = 0;
  if (pod.ask_at == kCallsUncounted) {
    pod.ask_at = kCallsKnown;
    return false;
  }
  pod.ask_at = kCallsSampled;
  // Threads that ended took their part of the total along: nothing is known this time.
  if (on_core < Duration::zero() || stretches <= 0) return pod.brief;
  const bool little =
      std::chrono::duration<double>(on_core) < kUseMax * std::chrono::duration<double>(passed);
  pod.brief = on_core / stretches <= kStretchMax && little;
  return pod.brief;
}

void NearPods::remove(PodId id) {
  const auto found = pods_.find(id);
  if (found == pods_.end()) return;
  busy_near_ -= static_cast<std::uint32_t>(found->second.counted);
  pods_.erase(found);
}

}  // namespace subito::scheduler
