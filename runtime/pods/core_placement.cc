#include "runtime/pods/core_placement.h"

#include <algorithm>
#include <utility>

namespace subito::pods {

void CorePlacement::on_busy(PodId pod, TimePoint now) {
  if (cores_->count() < 2) return;
  const bool near = near_.on_busy(pod, now);
  if (near) hold_loop(now);
  const auto placed = places_.find(pod);
  if (placed == places_.end() && !near) return;
  Place& place = placed != places_.end() ? placed->second : places_[pod];
  const int core = core_for(near);
  if (may_move(place, core, now)) move(place, pid_of_(pod), core, now);
}

void CorePlacement::on_idle(PodId pod) {
  if (cores_->count() >= 2) near_.on_idle(pod);
}

void CorePlacement::on_end(PodId pod, TimePoint now) {
  if (cores_->count() < 2 || !near_.on_end(pod, now)) return;
  if (std::find(ended_.begin(), ended_.end(), pod) == ended_.end()) ended_.push_back(pod);
}

void CorePlacement::look_at_pod(PodId pod, TimePoint now) {
  const pid_t pid = pid_of_(pod);
  if (pid == 0) return;
  const auto ran = cores_->ran(pid);
  if (!ran || near_.ran(pod, *ran, now)) return;
  // At once: the next call may be as long, and the gap between moves is for those that come.
  const auto placed = places_.find(pod);
  if (placed == places_.end() || placed->second.core == Cores::kAny) return;
  move(placed->second, pid, Cores::kAny, now);
}

void CorePlacement::remove(PodId pod) {
  near_.remove(pod);
  std::erase(ended_, pod);
  places_.erase(pod);
}

int CorePlacement::core_for(bool near) const {
  if (!near) return Cores::kAny;
  return loop_core_ != Cores::kAny ? loop_core_ : cores_->current();
}

bool CorePlacement::may_move(const Place& place, int core, TimePoint now) {
  return core != place.core && (place.moved == TimePoint{} || now - place.moved >= kMoveGap);
}

void CorePlacement::move(Place& place, pid_t pid, int core, TimePoint now) {
  if (pid == 0) return;
  place.moved = now;
  // A process that is going, or a system that forbids it: it runs where it may, as any other.
  if (cores_->move(pid, core)) place.core = core;
}

void CorePlacement::hold_loop(TimePoint now) {
  any_near_ = true;
  if (loop_core_ != Cores::kAny || now < free_until_) return;
  const auto ran = cores_->ran_this_thread();
  if (!ran) return;  // nobody could tell that it starves
  loop_ran_ = *ran;
  const int core = cores_->current();
  if (cores_->move_this_thread(core)) loop_core_ = core;
}

void CorePlacement::look(TimePoint now, bool others_run) {
  if (cores_->count() < 2) return;
  const bool due = looked_ == TimePoint{} || now - looked_ >= kLook;
  if (!due && ended_.empty()) return;
  if (put_off_ == TimePoint{}) put_off_ = now;
  if (others_run && now - put_off_ < kPutOffMax) return;
  put_off_ = {};
  for (const PodId pod : std::exchange(ended_, {})) look_at_pod(pod, now);
  if (!due) return;
  const Duration passed = now - std::exchange(looked_, now);
  look_at_loop(now, passed);
  if (companion_pid_) look_at_companion(now, passed);
}

void CorePlacement::look_at_loop(TimePoint now, Duration passed) {
  const bool near = std::exchange(any_near_, false);
  if (loop_core_ == Cores::kAny) return;
  const auto ran = cores_->ran_this_thread();
  if (!ran) return;
  const scheduler::Running before = std::exchange(loop_ran_, *ran);
  const Duration waited = ran->waited - before.waited;
  const bool starved =
      waited > kStarvedFactor * (ran->on_core - before.on_core) &&
      std::chrono::duration<double>(waited) > kStarvedPart * std::chrono::duration<double>(passed);
  if (near && !starved) return;
  if (cores_->move_this_thread(Cores::kAny)) loop_core_ = Cores::kAny;
  if (starved) free_until_ = now + kFreeTime;
}

void CorePlacement::look_at_companion(TimePoint now, Duration passed) {
  const pid_t pid = companion_pid_();
  if (pid == 0) return;
  const auto ran = cores_->ran(pid);
  if (!ran) return;
  const Duration used = ran->on_core;
  if (pid != companion_.pid)
    companion_ = {.pid = pid, .used = used, .place = {.core = kUnknown, .moved = {}}};
  const Duration spent = used - companion_.used;
  companion_.used = used;
  const bool near = std::chrono::duration<double>(spent) <=
                    kCompanionUseMax * std::chrono::duration<double>(passed);
  const int core = core_for(near);
  if (may_move(companion_.place, core, now)) move(companion_.place, pid, core, now);
}

}  // namespace subito::pods
