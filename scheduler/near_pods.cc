#include "scheduler/near_pods.h"

#include "runtime/base/check.h"

namespace subito::scheduler {

bool NearPods::on_busy(PodId id, TimePoint now) {
  Pod& pod = pods_[id];
  CHECK(!pod.busy);
  pod.busy = true;
  pod.busy_since = now;
  pod.counted = pod.brief && busy_near_ < kBusyMax;
  busy_near_ += static_cast<std::uint32_t>(pod.counted);
  return pod.counted;
}

bool NearPods::on_idle(PodId id, TimePoint now) {
  const auto found = pods_.find(id);
  CHECK(found != pods_.end() && found->second.busy);
  Pod& pod = found->second;
  pod.busy = false;
  busy_near_ -= static_cast<std::uint32_t>(pod.counted);
  pod.counted = false;
  ++pod.calls;
  return pod.calls >= pod.ask_at || (pod.brief && now - pod.busy_since >= kLongCall);
}

bool NearPods::ran(PodId id, const Running& total) {
  const auto found = pods_.find(id);
  if (found == pods_.end()) return false;
  Pod& pod = found->second;
  const Duration on_core = total.on_core - pod.ran.on_core;
  const auto stretches = static_cast<std::int64_t>(total.stretches - pod.ran.stretches);
  pod.ran = total;
  pod.calls = 0;
  if (pod.ask_at == 1) {  // what its start took is in it
    pod.ask_at = kCallsKnown;
    return false;
  }
  pod.ask_at = kCallsSampled;
  // Threads that ended took their part of the total along: nothing is known this time.
  if (on_core >= Duration::zero() && stretches > 0) pod.brief = on_core / stretches <= kStretchMax;
  return pod.brief;
}

void NearPods::remove(PodId id) {
  const auto found = pods_.find(id);
  if (found == pods_.end()) return;
  busy_near_ -= static_cast<std::uint32_t>(found->second.counted);
  pods_.erase(found);
}

}  // namespace subito::scheduler
