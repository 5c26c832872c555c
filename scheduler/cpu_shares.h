// CpuShares: functions share the CPU by their weight, whatever their number of pods. Each busy pod
// of a function gets
//
//   1000 * weight / counted      1000 is what a pod starts with: one of a function of weight 1
//
// where `counted` is the number of its busy pods, up to the next power of two: at 192 busy pods
// each gets 1000 / 256 = 3, together 576, and the single pod of another function 1000. A pod is
// busy from its first invocation until it has none, waiting for others included; the shares of idle
// pods do not matter and are left as they are.
//
// A function whose calls wait for long before they run has more work than its share of the cores is
// good for. It is crowded, and its pods get a part of the above (kCrowdedPart): those that keep
// within their share hardly notice, crowded ones share by weight among themselves, and what nobody
// else wants is theirs as before. A part of 8: three busy pods get 1000 / 4 / 8 = 31 each. The
// kernel gives a core to whoever has had less than its share at a tick, every 4 ms: one of 31 is
// due once in 4 * 1000 / 31 = 129 ms that a pod with 1000 runs, so that one in 26 calls of 5 ms
// meets it; a quarter was one in 13.
//
// Changes are rare. `counted` rises at once when there are more busy pods, and falls when a quarter
// of it or fewer are left (or one alone), as the end of a crowd does: at worst three messages for
// each pod that became busy or idle, amortised, and none as long as their number stays within a
// factor of two. Few pods with short invocations come and go often, so that both happen at most
// kFallsMax times in kFallsWindow: meanwhile pods get less than they might, never more.
//
// Pure: owned by whoever owns the scheduler, who passes on what it answers (live by
// PodHome::share_cpu). on_busy and on_idle take one look-up and, once their vectors have grown,
// allocate nothing.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/time.h"

namespace subito::scheduler {

class CpuShares {
 public:
  struct Told {
    PodId pod;
    std::uint32_t share;

    friend bool operator==(const Told&, const Told&) = default;
  };
  using Tell = std::span<const Told>;  // whom to tell what; valid until the next call

  static constexpr std::uint32_t kShareAtStart = 1000;
  static constexpr std::uint32_t kFallsMax = 16;
  static constexpr Duration kFallsWindow = std::chrono::milliseconds(100);
  // A call that waited so long makes its function crowded, one that did not ends that.
  static constexpr Duration kCrowdedAfter = std::chrono::milliseconds(20);
  static constexpr std::uint32_t kCrowdedPart = 8;

  // A new pod, idle. `weight` is its function's, 1 to 1000; it counts if this is its only pod, else
  // set_weight() does.
  void add(PodId pod, FunctionId function, std::uint32_t weight);
  // Of a function without pods: nothing happens.
  Tell set_weight(FunctionId function, std::uint32_t weight);
  // The pod got its first invocation, which had waited so long for it; it must have been idle.
  Tell on_busy(PodId pod, TimePoint now, Duration waited = {});
  // Its last one is over; it must have been busy.
  Tell on_idle(PodId pod, TimePoint now);
  // The pod is gone, busy or not. Unknown: nothing happens.
  Tell remove(PodId pod, TimePoint now);

 private:
  static constexpr std::size_t kIdle = ~std::size_t{0};

  struct Function;
  struct Pod {
    PodId id;
    Function* function = nullptr;
    std::uint32_t told = kShareAtStart;
    std::size_t place = kIdle;  // in `busy` of its function
  };
  struct Function {
    FunctionId id;
    std::uint32_t weight = 1;
    std::uint32_t pods = 0;
    std::uint32_t counted = 1;  // a power of two
    std::vector<Pod*> busy;     // in no order
    TimePoint window_begun;
    std::uint32_t falls = 0;  // in the window
    bool crowded = false;

    std::uint32_t share() const;
  };

  static bool may_fall(Function& function, TimePoint now);
  static void leave(Pod& pod);
  void tell(Pod& pod);
  void tell_all(const Function& function);
  // True: all busy pods were told.
  bool recount(Function& function, TimePoint now, bool crowded);

  std::unordered_map<PodId, Pod> pods_;
  std::unordered_map<FunctionId, Function> functions_;  // that have pods
  std::vector<Told> told_;
};

}  // namespace subito::scheduler
