// NearPods: which pods are to run on the core that the node's loop runs on, and which wherever the
// kernel puts them.
//
// To wake a process on a core that sleeps takes an interrupt from core to core; a virtual machine
// leaves its guest for it, twice. A switch on the same core takes none. On a quiet machine with 2
// virtual cores a call by way of the node took 680 us with pods on the other core and 90 us on the
// same. So pods whose calls are short are brought near; one that computes would only be in the
// way, of the loop and of others:
//
//   near = on a core its calls run for at most kStretchMax at a stretch, in the mean,
//          it takes less than kUseMax of a core, and fewer than kBusyMax others that are near are
//          busy
//
// A stretch ends when it waits: for its next call, for Redis, for the answer of another function.
// One that calls fifty others in turn has fifty short ones. They are counted by the kernel, which
// is asked after kCallsKnown calls, then after each kCallsSampled, and after each call as long as
// kLongCall: one that computed ends being near at once. What came before its second answer, its
// start among it, does not count: to look then and not before the first keeps a file of /proc out
// of every cold start. One that takes much of a core, however briefly each time, is in the way
// too, and need not be woken.
//
// Pure. Owned by whoever moves pods (runtime/pods/core_placement.h). One look-up a call; allocates
// for a new pod only.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "runtime/base/id.h"
#include "runtime/base/time.h"

namespace subito::scheduler {

struct Running {
  Duration on_core{};
  std::uint64_t stretches = 0;  // how often it was put on a core
  Duration waited{};            // ready to run, while others were on the core
};

class NearPods {
 public:
  static constexpr std::uint32_t kCallsUncounted = 2;  // with what its start took
  static constexpr std::uint32_t kCallsKnown = 8;
  static constexpr std::uint32_t kCallsSampled = 32;
  static constexpr Duration kStretchMax = std::chrono::microseconds(250);
  static constexpr double kUseMax = 0.5;
  static constexpr Duration kLongCall = std::chrono::milliseconds(1);
  // More at once than take turns on one core are better off on all of them.
  static constexpr std::uint32_t kBusyMax = 4;

  // The pod got an invocation and had none. True: it is to be near.
  bool on_busy(PodId pod, TimePoint now);
  // One of its invocations is over. True: ask the kernel and tell ran() now.
  bool on_end(PodId pod, TimePoint now);
  // It has none any more.
  void on_idle(PodId pod);
  // What the pod ran since it began, all threads. True: it is to be near from its next invocation
  // on, unless too many others are; false: it is to be let go of now.
  bool ran(PodId pod, const Running& total, TimePoint now);
  void remove(PodId pod);  // unknown: nothing happens

 private:
  struct Pod {
    TimePoint ended;  // an invocation, or it became busy
    TimePoint asked;
    Running ran;                             // when it was asked for last
    std::uint32_t calls = 0;                 // since then
    std::uint32_t ask_at = kCallsUncounted;  // the kernel is asked when there were so many
    bool brief = false;                      // its stretches are known to be
    bool busy = false;
    bool counted = false;  // in busy_near_
  };

  std::unordered_map<PodId, Pod> pods_;
  std::uint32_t busy_near_ = 0;
};

}  // namespace subito::scheduler
