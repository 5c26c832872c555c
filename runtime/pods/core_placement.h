// CorePlacement: brings pods whose calls are short to the core that the node's loop runs on, and
// lets go of others: why and which, scheduler/near_pods.h. A process that pods talk to beside the
// node, its Redis, is brought along while it uses little.
//
//   the node answers a request:   loop ─▶ pod ─▶ Redis ─▶ pod ─▶ loop     four switches, no
//   interrupt
//
// The loop stays on its core while there are such pods: else the kernel would wake it on another
// one each time that a pod is on its core, and leave the pods behind. Where others keep it waiting
// for its core it is let go for kFreeTime, to be moved by the kernel, and pods follow, each at most
// once in kMoveGap. On one core there is nothing to do. Owned by the node, on its loop's thread.
// Costs a look-up at both ends of a call, a file of /proc read every kCallsSampled calls, and a few
// system calls for a move.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "runtime/pods/cores.h"
#include "scheduler/near_pods.h"

namespace subito::pods {

class CorePlacement {
 public:
  static constexpr Duration kMoveGap = std::chrono::milliseconds(10);
  // The loop and the companion are looked at so often while there are calls.
  static constexpr Duration kLook = std::chrono::milliseconds(100);
  static constexpr Duration kPutOffMax = std::chrono::milliseconds(10);
  // Above this part of a core the companion is let go of.
  static constexpr double kCompanionUseMax = 0.25;
  // The loop is kept from its core by others: it waited so many times as long as it ran, and for
  // this part of the time. Pods that are near keep it waiting for less: one runs while it does not.
  static constexpr int kStarvedFactor = 2;
  static constexpr double kStarvedPart = 0.1;
  static constexpr Duration kFreeTime = std::chrono::seconds(1);

  // `pid_of`: of a pod's first process; 0: not known, and then it is left where it is.
  CorePlacement(std::unique_ptr<Cores> cores, std::function<pid_t(PodId)> pid_of)
      : cores_(std::move(cores)), pid_of_(std::move(pid_of)) {}

  // Who is brought along: its pid now, 0 while there is none. It must be callable as long as this.
  void set_companion(std::function<pid_t()> pid) { companion_pid_ = std::move(pid); }

  // The pod got an invocation and had none.
  void on_busy(PodId pod, TimePoint now);
  // One of its invocations is over.
  void on_end(PodId pod, TimePoint now);
  // It has none any more.
  void on_idle(PodId pod);
  void remove(PodId pod);
  // Looks at the pods whose calls ended, at loop and companion, if it is time: it may read files of
  // /proc. Often, behind answers. `others_run`: whoever waits for an invocation would wait for
  // these as well, so the look is put off, by kPutOffMax at most.
  void look(TimePoint now, bool others_run = false);

 private:
  static constexpr int kUnknown = -2;
  struct Place {
    int core = Cores::kAny;  // kUnknown: it has what its maker had
    TimePoint moved;
  };
  struct Companion {
    pid_t pid = 0;
    Duration used{};
    Place place;
  };

  int core_for(bool near) const;
  static bool may_move(const Place& place, int core, TimePoint now);
  void move(Place& place, pid_t pid, int core, TimePoint now);
  void look_at_pod(PodId pod, TimePoint now);
  void look_at_companion(TimePoint now, Duration passed);
  void look_at_loop(TimePoint now, Duration passed);
  void hold_loop(TimePoint now);

  std::unique_ptr<Cores> cores_;
  std::function<pid_t(PodId)> pid_of_;
  scheduler::NearPods near_;
  std::unordered_map<PodId, Place> places_;  // of pods that were moved
  std::function<pid_t()> companion_pid_;
  Companion companion_;
  std::vector<PodId> ended_;     // to be looked at; each once
  TimePoint put_off_;            // since then
  TimePoint looked_;             // at loop and companion
  int loop_core_ = Cores::kAny;  // that the loop is held on
  TimePoint free_until_;         // not held before
  scheduler::Running loop_ran_;  // when it was looked at last, or held
  bool any_near_ = false;        // since then
};

}  // namespace subito::pods
