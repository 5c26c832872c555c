#include "scheduler/cpu_shares.h"

#include <algorithm>
#include <bit>

#include "runtime/base/check.h"

namespace subito::scheduler {

std::uint32_t CpuShares::Function::share() const {
  return std::max(1U, kShareAtStart * weight / counted / (crowded ? kCrowdedPart : 1));
}

void CpuShares::add(PodId id, FunctionId function_id, std::uint32_t weight) {
  Function& function = functions_[function_id];
  if (function.pods++ == 0) {
    function.id = function_id;
    function.weight = weight;
  }
  Pod& pod = pods_[id];
  CHECK(pod.function == nullptr);
  pod.id = id;
  pod.function = &function;
}

CpuShares::Tell CpuShares::set_weight(FunctionId id, std::uint32_t weight) {
  told_.clear();
  const auto found = functions_.find(id);
  if (found == functions_.end()) return told_;
  found->second.weight = weight;
  tell_all(found->second);
  return told_;
}

CpuShares::Tell CpuShares::on_busy(PodId id, TimePoint now, Duration waited) {
  told_.clear();
  const auto found = pods_.find(id);
  CHECK(found != pods_.end() && found->second.place == kIdle);
  Pod& pod = found->second;
  pod.place = pod.function->busy.size();
  pod.function->busy.push_back(&pod);
  if (!recount(*pod.function, now, waited >= kCrowdedAfter)) tell(pod);
  return told_;
}

CpuShares::Tell CpuShares::on_idle(PodId id, TimePoint now) {
  told_.clear();
  const auto found = pods_.find(id);
  CHECK(found != pods_.end() && found->second.place != kIdle);
  leave(found->second);
  Function& function = *found->second.function;
  recount(function, now, function.crowded);
  return told_;
}

CpuShares::Tell CpuShares::remove(PodId id, TimePoint now) {
  told_.clear();
  const auto found = pods_.find(id);
  if (found == pods_.end()) return told_;
  Function& function = *found->second.function;
  const bool was_busy = found->second.place != kIdle;
  if (was_busy) leave(found->second);
  pods_.erase(found);
  if (--function.pods == 0) {
    functions_.erase(function.id);
  } else if (was_busy) {
    recount(function, now, function.crowded);
  }
  return told_;
}

// The last of the busy ones takes its place.
void CpuShares::leave(Pod& pod) {
  std::vector<Pod*>& busy = pod.function->busy;
  busy[pod.place] = busy.back();
  busy[pod.place]->place = pod.place;
  busy.pop_back();
  pod.place = kIdle;
}

bool CpuShares::recount(Function& function, TimePoint now, bool crowded) {
  const std::size_t busy = function.busy.size();
  const bool rises = busy > function.counted;
  const bool falls = function.counted > 1 && (busy <= function.counted / 4 || busy <= 1);
  const bool recounted = rises || (falls && may_fall(function, now));
  if (recounted) function.counted = static_cast<std::uint32_t>(std::bit_ceil(busy));  // 1 of 0
  const bool changes = crowded ? !function.crowded : function.crowded && may_fall(function, now);
  if (changes) function.crowded = crowded;
  if (!recounted && !changes) return false;
  tell_all(function);
  return true;
}

bool CpuShares::may_fall(Function& function, TimePoint now) {
  if (now - function.window_begun >= kFallsWindow) {
    function.window_begun = now;
    function.falls = 0;
  }
  if (function.falls == kFallsMax) return false;
  ++function.falls;
  return true;
}

void CpuShares::tell_all(const Function& function) {
  for (Pod* pod : function.busy) tell(*pod);
}

void CpuShares::tell(Pod& pod) {
  const std::uint32_t share = pod.function->share();
  if (pod.told == share) return;
  pod.told = share;
  told_.push_back({pod.id, share});
}

}  // namespace subito::scheduler
