// Timers: what is due when. Each waiting thing has a handle of its own in its record; setting it
// again moves it. O(log n) at most, and looking costs only what is due. Lives inside the Ledger.
//
// Timeouts of invocations and pods are set by the thousand and hardly ever come due: the pod is up
// in a millisecond of the 10 s it may take. But those with the same delay are set in the order in
// which they are due, so lists do for them, a few "lanes": a timer goes to the end of the lane that
// ends latest, not behind it, and out of it again, in O(1). So does what is due at once, as
// the idle time of a pod that is not worth keeping. All else, and what fits no lane, goes into the
// heap.
//
// What is put off stays where it is in the heap, and is moved when its turn comes there: a pod's
// idle time begins anew with each call, thousands of times before it is over. The heap's top is
// always true, so next() and take_due() never meet one that was put off.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "runtime/base/time.h"
#include "scheduler/heap.h"
#include "scheduler/slots.h"

namespace subito::scheduler {

// The sum, or TimePoint::max() where that would be past what a TimePoint holds. `at` from 0 on.
inline TimePoint later(TimePoint at, Duration by) {
  return by >= TimePoint::max() - at ? TimePoint::max() : at + by;
}

// kNoSlot: not armed.
using TimerHandle = Slot;

struct Timer {
  enum class Kind : std::uint8_t {
    kInvocation,    // waiting: give up; running: cancel; cancelled: the pod does not yield
    kPod,           // starting: no hello; draining: does not end
    kFunctionWake,  // somebody waits: look again whether to start a pod
    kFunctionPlan,  // the policy wants to be asked for its plan
    kFunctionIdle,  // the longest idle pod has been idle for long enough
  };
  Kind kind = Kind::kInvocation;
  Slot slot = kNoSlot;  // of the invocation, pod or function
};

class Timers {
 public:
  // TimePoint::max() clears it. Of two due at the same time, the one set first comes first.
  void set(TimerHandle& handle, TimePoint at, Timer timer);
  void clear(TimerHandle& handle);
  // As clear(), but the handle stays valid and in its place: for one that is set again soon.
  void rest(TimerHandle handle);
  TimePoint next() const {  // TimePoint::max(): none
    return heap_.empty() ? lanes_next_ : std::min(heap_.top_key().at, lanes_next_);
  }
  // Takes the first out if it is due; its slot is kNoSlot if none is. The caller forgets its
  // handle: it is no longer valid.
  Timer take_due(TimePoint now) {
    asked_ = now;
    return next() > now ? Timer() : take_first();
  }

 private:
  struct Key {
    TimePoint at;
    std::uint64_t sequence = 0;
    friend bool operator==(const Key&, const Key&) = default;
    friend bool operator<(const Key& a, const Key& b) {
      return before(a.at.time_since_epoch().count(), a.sequence, b.at.time_since_epoch().count(),
                    b.sequence);
    }
  };
  static constexpr std::uint8_t kLanes = 4;
  static constexpr std::uint8_t kNoLane = kLanes;
  struct Place {
    Timer timer;
    Slot position = kNoSlot;              // in the heap
    std::uint8_t lane = kNoLane;          // that it is in; then in no heap
    Link link;                            // in the lane
    Key due;                              // TimePoint::max(): it rests
    TimePoint listed = TimePoint::max();  // where the heap has it: not later than `due`
  };
  struct Lane {
    SlotList<Place, &Place::link> places;
    Key first{TimePoint::max()};        // of the first place; max(): there is none
    TimePoint last = TimePoint::min();  // of the last place; min(): there is none
  };
  Timer take_first();
  bool enter_lane(TimerHandle handle);
  void leave_lane(TimerHandle handle);
  TimerHandle first() const;
  void list(TimerHandle handle);
  void correct_top();
  auto positions() {
    return [this](Slot slot) -> Slot& { return places_[slot].position; };
  }

  Slots<Place> places_;
  Heap<Key> heap_;
  std::array<Lane, kLanes> lanes_;
  TimePoint lanes_next_ = TimePoint::max();  // the first of their firsts
  std::uint64_t sequence_ = 0;
  TimePoint asked_ = TimePoint::min();  // what take_due() was asked for last
};

}  // namespace subito::scheduler
