// Heap: slots by key, smallest on top, that can move or take out any of them in O(log n), because
// each slot's position is written down where the caller says. Four children each: half as many
// positions are written as with two, and those are what a cache misses.
//
// `positions(slot)` returns a Slot& that belongs to the slot and to this heap: kNoSlot while it is
// not in, otherwise its place. Keys have `<` and must differ (add a
// sequence number), so that order is defined.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "scheduler/slots.h"

namespace subito::scheduler {

// Whether (a, a_sequence) comes before (b, b_sequence), which is the order of most keys. Without a
// branch: nobody can foretell it.
inline bool before(std::int64_t a, std::uint64_t a_sequence, std::int64_t b,
                   std::uint64_t b_sequence) {
  const auto less = static_cast<unsigned>(a < b);
  const auto same = static_cast<unsigned>(a == b);
  return (less | (same & static_cast<unsigned>(a_sequence < b_sequence))) != 0;
}

template <typename Key>
class Heap {
 public:
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  Slot top() const {
    CHECK(!empty());
    return entries_.front().slot;
  }
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
      entries_.emplace_back();
    } else {
      CHECK(is_at(at, slot));
    }
    settle(at, {key, slot}, positions);
  }

  // Takes the slot out, if it is in.
  template <typename Positions>
  void erase(Slot slot, Positions&& positions) {
    const Slot at = std::exchange(positions(slot), kNoSlot);
    if (at == kNoSlot) return;
    CHECK(is_at(at, slot));
    const Entry last = entries_.back();
    entries_.pop_back();
    if (last.slot == slot) return;
    settle(at, last, positions);
  }

 private:
  struct Entry {
    Key key{};
    Slot slot = kNoSlot;
  };
  static constexpr Slot kChildren = 4;

  // What the caller has written down is what is so.
  bool is_at(Slot at, Slot slot) const { return at < entries_.size() && entries_[at].slot == slot; }

  // Puts the entry in the hole at `at`, or up, or down from there, where it is in order; notes
  // every new position. It is written once: what reads it in larger pieces than it was written in
  // waits.
  template <typename Positions>
  void settle(Slot at, const Entry& moving, Positions&& positions) {
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

  // Of an entry that has children. Which is least nobody can foretell: so without branches where
  // all four are there.
  Slot least_child(Slot at) const {
    const Slot first = kChildren * at + 1;
    const Entry* const child = &entries_[first];
    const std::size_t count = entries_.size() - first;
    if (count >= kChildren) {
      const auto left = static_cast<Slot>(child[1].key < child[0].key);
      const auto right = 2 + static_cast<Slot>(child[3].key < child[2].key);
      const auto other = static_cast<Slot>(child[right].key < child[left].key);
      return first + left + other * (right - left);
    }
    Slot least = 0;
    for (Slot i = 1; i < count; ++i) {
      if (child[i].key < child[least].key) least = i;
    }
    return first + least;
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
