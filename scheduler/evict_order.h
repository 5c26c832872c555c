// EvictOrder: which function gives a pod up first when the node is full: whose longest idle one has
// the lowest priority (greedy_dual.h); of equals, who has been idle longest.
//
// Nobody asks while the node has room, so what changes is only noted: an invocation makes the pod
// busy and idle again, and the order is put right when somebody asks, once for each function that
// changed since. So it costs O(1) a change and O(log n) for each of those looked at. Lives inside
// the Ledger.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <vector>

#include "runtime/base/fetch_lines.h"
#include "runtime/base/large_memory.h"
#include "runtime/base/time.h"
#include "scheduler/greedy_dual.h"
#include "scheduler/heap.h"
#include "scheduler/limits.h"
#include "scheduler/slots.h"

namespace subito::scheduler {

class EvictOrder {
 public:
  // The function has an idle pod that may go: the longest idle one has this priority.
  void put(Slot function, std::uint32_t height, GreedyDual::Priority priority,
           TimePoint idle_since);
  // It has none; as often as anybody likes.
  void erase(Slot function);
  bool contains(Slot function) const {
    return function < entries_.size() && entries_[function].inside;
  }
  bool empty() const { return inside_ == 0; }
  void fetch(Slot function) const {
    if (function < entries_.size()) fetch_lines(&entries_[function], sizeof(Entry));
  }
  // Of those from `height` on; kNoSlot: there is none.
  Slot first(std::uint32_t height);

 private:
  struct Key {
    GreedyDual::Priority priority = 0;
    TimePoint idle_since;
    Slot function = kNoSlot;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Entry {  // by function
    GreedyDual::Priority priority = 0;
    TimePoint idle_since;
    Slot position = kNoSlot;  // in the heap of `listed`
    std::uint8_t height = 0;  // as it was put
    std::uint8_t listed = 0;  // as the heaps have it
    bool inside = false;      // as it was put
    bool noted = false;       // in changed_
  };
  static constexpr std::size_t kChangedMin = 256;

  auto positions() {
    return [this](Slot slot) -> Slot& { return entries_[slot].position; };
  }
  void note(Slot function);
  void forget_unlisted();
  void put_right(Slot function);

  std::vector<Entry, LargeMemory<Entry>> entries_;
  std::array<Heap<Key>, kHeightMax + 1> heaps_;  // by height
  std::vector<Slot> changed_;
  std::size_t changed_max_ = kChangedMin;  // then those that came and went are forgotten
  std::uint32_t inside_ = 0;
};

}  // namespace subito::scheduler
