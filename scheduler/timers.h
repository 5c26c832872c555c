// Timers: what is due when. Each waiting thing has a handle of its own in its record; setting it
// again moves it. O(log n) each, and looking costs only what is due. Lives inside the Ledger.
//
// What is put off stays where it is in the heap, and is moved when its turn comes there: a pod's
// idle time begins anew with each call, thousands of times before it is over. The heap's top is
// always true, so next() and take_due() never meet one that was put off.
#pragma once

#include <cstdint>
#include <optional>

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
  TimePoint next() const;  // TimePoint::max(): none
  // Takes the first out if it is due. The caller forgets its handle: it is no longer valid.
  std::optional<Timer> take_due(TimePoint now);

 private:
  struct Key {
    TimePoint at;
    std::uint64_t sequence = 0;
    friend bool operator==(const Key&, const Key&) = default;
    friend bool operator<(const Key& a, const Key& b) {
      return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
    }
  };
  struct Place {
    Timer timer;
    Slot position = kNoSlot;
    Key due;                              // TimePoint::max(): it rests
    TimePoint listed = TimePoint::max();  // where the heap has it: not later than `due`
  };
  void list(TimerHandle handle);
  void correct_top();
  auto positions() {
    return [this](Slot slot) -> Slot& { return places_[slot].position; };
  }

  Slots<Place> places_;
  Heap<Key> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace subito::scheduler
