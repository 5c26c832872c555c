// StartWatch: while a client waits for the one pod that starts, the loop asks the kernel for news
// again and again in place of going to sleep, so that the pod's hello and its answer find it awake.
// To wake it takes an interrupt of its core, in a virtual machine 25 to 40 us each time.
//
//   a client's pod begins in an empty sandbox ──▶ watching ──▶ its answer, its end, another start,
//                                                              or kWatchMax: asleep
//
// What that costs is time of a core that nobody wants: each look first lets run who waits for this
// core (sched_yield(2)). Several starts at once want all cores, and so do starts in quick
// succession, for the ends and the empty sandboxes of those before, and a fresh one, which is made
// on two; on one core the pod could not run. Owned by the engine, on its loop's thread.
#pragma once

#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "runtime/loop/loop.h"

namespace subito::node {

// May this process run on more than one core?
bool has_several_cores();

class StartWatch {
 public:
  // A start and a short handler; longer ones are waited for asleep.
  static constexpr Duration kWatchMax = std::chrono::microseconds(600);
  // Starts closer to each other leave no core idle.
  static constexpr Duration kApartMin = std::chrono::microseconds(1500);

  StartWatch(Loop& loop, bool several_cores)
      : loop_(loop), next_turn_(loop, [this] { look(); }), several_cores_(several_cores) {}

  // Somebody waits for it to start. `empty_sandbox`: it begins in one that was there.
  void on_start(PodId pod, bool empty_sandbox, TimePoint now);
  // It has answered or ended.
  void on_settled(PodId pod);

  bool watching() const { return pod_ != PodId(); }

 private:
  void look();

  Loop& loop_;
  NextTurn next_turn_;
  const bool several_cores_;
  PodId pod_;        // that is waited for; none: asleep
  TimePoint begun_;  // the last start
};

}  // namespace subito::node
