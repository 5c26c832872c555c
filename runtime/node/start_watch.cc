#include "runtime/node/start_watch.h"

#include <sched.h>

namespace subito::node {

bool has_several_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  // Failure: more of them than fit.
  return ::sched_getaffinity(0, sizeof cores, &cores) != 0 || CPU_COUNT(&cores) > 1;
}

void StartWatch::on_start(PodId pod, bool empty_sandbox, TimePoint now) {
  const bool alone = now - begun_ >= kApartMin;
  begun_ = now;
  pod_ = alone && empty_sandbox && several_cores_ ? pod : PodId();
  if (watching()) next_turn_.start();
}

void StartWatch::on_settled(PodId pod) {
  if (pod == pod_) pod_ = PodId();
}

void StartWatch::look() {
  if (loop_.now() - begun_ >= kWatchMax) pod_ = PodId();
  if (!watching()) return;
  ::sched_yield();
  next_turn_.start();
}

}  // namespace subito::node
