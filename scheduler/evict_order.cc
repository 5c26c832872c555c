#include "scheduler/evict_order.h"

#include <algorithm>

namespace subito::scheduler {

void EvictOrder::put(Slot function, std::uint32_t height, GreedyDual::Priority priority,
                     TimePoint idle_since) {
  if (function >= entries_.size()) entries_.resize(function + 1);
  Entry& entry = entries_[function];
  inside_ += static_cast<std::uint32_t>(!entry.inside);
  entry.priority = priority;
  entry.idle_since = idle_since;
  entry.height = static_cast<std::uint8_t>(height);
  entry.inside = true;
  note(function);
}

void EvictOrder::erase(Slot function) {
  if (!contains(function)) return;
  entries_[function].inside = false;
  --inside_;
  note(function);
}

void EvictOrder::note(Slot function) {
  if (entries_[function].noted) return;
  if (changed_.size() >= changed_max_) forget_unlisted();
  entries_[function].noted = true;
  changed_.push_back(function);
}

// So that `changed_` is no longer than four times what is or was in order, whoever comes and goes.
// O(1) amortised: it must get that long before the next time.
void EvictOrder::forget_unlisted() {
  std::erase_if(changed_, [this](Slot slot) {
    Entry& entry = entries_[slot];
    entry.noted = entry.inside || entry.position != kNoSlot;
    return !entry.noted;
  });
  changed_max_ = std::max(kChangedMin, 4 * changed_.size());
}

Slot EvictOrder::first(std::uint32_t height) {
  for (const Slot function : changed_) put_right(function);
  changed_.clear();
  const Heap<Key>* first = nullptr;
  for (; height <= kHeightMax; ++height) {
    const Heap<Key>& heap = heaps_[height];
    if (!heap.empty() && (first == nullptr || heap.top_key() < first->top_key())) first = &heap;
  }
  return first == nullptr ? kNoSlot : first->top();
}

void EvictOrder::put_right(Slot function) {
  Entry& entry = entries_[function];
  entry.noted = false;
  if (!entry.inside || entry.listed != entry.height) {
    heaps_[entry.listed].erase(function, positions());
  }
  entry.listed = entry.height;
  if (!entry.inside) return;
  heaps_[entry.height].put(function, Key{entry.priority, entry.idle_since, function}, positions());
}

}  // namespace subito::scheduler
