// Heap: slots by key, smallest on top, that can move or take out any of them in O(log n), because
// each slot's position is written down where the caller says. Four children each: half as many
// positions are written as with two, and those are what a cache misses.
//
// `positions(slot)` returns a Slot& that belongs to the slot and to this heap: kNoSlot while it is
// not in, otherwise its place. Keys have `<` and must differ (add a
// sequence number), so that order is defined.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "scheduler/slots.h"

namespace subito::scheduler {

template <typename Key>
class Heap {
 public:
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  Slot top() const {
    CHECK(!empty());
    return entries_.front().slot;
  }
  // The one that comes to the top when that is taken out; kNoSlot: there is none.
  Slot second() const { return size() < 2 ? kNoSlot : entries_[least_child(0)].slot; }
  const Key& top_key() const {
    CHECK(!empty());
    return entries_.front().key;
  }

  // Puts the slot in, or moves it if it is in already.
  template <typename Positions>
  void put(Slot slot, const Key& key, Positions&& positions) {
    Slot at = positions(slot);
    if (at == kNoSlot) {
      at = static_cast<Slot>(entries_.size());
      entries_.push_back({key, slot});
    } else {
      entries_[at].key = key;
    }
    settle(at, positions);
  }

  // Takes the slot out, if it is in.
  template <typename Positions>
  void erase(Slot slot, Positions&& positions) {
    const Slot at = std::exchange(positions(slot), kNoSlot);
    if (at == kNoSlot) return;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (last.slot == slot) return;
    entries_[at] = last;
    settle(at, positions);
  }

 private:
  struct Entry {
    Key key;
    Slot slot;
  };
  static constexpr Slot kChildren = 4;

  // Moves the entry at `at` up, then down, until it is in order; notes every new position.
  template <typename Positions>
  void settle(Slot at, Positions&& positions) {
    const Entry moving = entries_[at];
    while (at > 0 && moving.key < entries_[(at - 1) / kChildren].key) {
      at = drop(at, (at - 1) / kChildren, positions);
    }
    while (kChildren * at + 1 < entries_.size()) {
      const Slot child = least_child(at);
      if (!(entries_[child].key < moving.key)) break;
      at = drop(at, child, positions);
    }
    entries_[at] = moving;
    positions(moving.slot) = at;
  }

  // Of an entry that has children.
  Slot least_child(Slot at) const {
    Slot least = kChildren * at + 1;
    const auto end =
        static_cast<Slot>(std::min<std::size_t>(std::size_t{least} + kChildren, entries_.size()));
    for (Slot child = least + 1; child < end; ++child) {
      if (entries_[child].key < entries_[least].key) least = child;
    }
    return least;
  }

  // Puts the entry of `from` at `at`; `from` is the hole now.
  template <typename Positions>
  Slot drop(Slot at, Slot from, Positions&& positions) {
    entries_[at] = entries_[from];
    positions(entries_[at].slot) = at;
    return from;
  }

  std::vector<Entry> entries_;
};

}  // namespace subito::scheduler
