// Slots: records in numbered places, and lists threaded through them. What the scheduler keeps its
// functions, pods and invocations in: a place is reused, nothing is allocated once it has grown.
// Plain containers; they live inside the scheduler's Ledger.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/large_memory.h"

namespace subito::scheduler {

using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = 0xffffffff;

// A reference stays valid while others come and go, though all are in one row: the place of a
// record is a multiplication away, not behind a table of blocks, and that is asked for with each
// step of each decision. Which slot is reused depends on nothing but the order of calls.
template <typename T>
class Slots {
 public:
  static constexpr Slot kSlotsMax = 1 << 24;  // 16 million at a time

  Slots() = default;
  ~Slots() { std::destroy_n(records_, end_); }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  Slot take() {
    if (free_.empty()) {
      if (end_ == room_) grow();
      ::new (&records_[end_]) T;
      return end_++;
    }
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }
  // The record is made anew in its place: a fresh one that is copied over it is written twice, and
  // what reads the first writes waits for them.
  void give_back(Slot slot) {
    T* const record = &(*this)[slot];
    std::destroy_at(record);
    ::new (record) T;
    free_.push_back(slot);
  }
  T& operator[](Slot slot) { return records_[slot]; }
  const T& operator[](Slot slot) const { return records_[slot]; }
  Slot end() const { return end_; }

 private:
  [[gnu::noinline]] void grow() {  // seldom, and take() is everywhere
    constexpr std::size_t kFirst = 64;
    memory_.grow(std::max(kFirst, end_ + std::size_t{1}) * sizeof(T));
    records_ = static_cast<T*>(memory_.begin());
    room_ = static_cast<Slot>(memory_.size() / sizeof(T));
  }

  T* records_ = nullptr;
  Slot room_ = 0;  // records that there is memory for
  Slot end_ = 0;   // those made
  std::vector<Slot> free_;
  GrowingMemory memory_{kSlotsMax * sizeof(T)};
};

struct Link {
  Slot before = kNoSlot;
  Slot after = kNoSlot;
};

// A doubly linked list through `link` of the records of a Slots. Everything is O(1).
template <typename T, Link T::*link>
class SlotList {
 public:
  Slot front() const { return front_; }  // kNoSlot when empty
  Slot back() const { return back_; }
  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  static Slot after(const Slots<T>& slots, Slot slot) { return (slots[slot].*link).after; }

  void push_back(Slots<T>& slots, Slot slot) { insert(slots, slot, kNoSlot); }

  // In front of `next`; kNoSlot: at the end.
  void insert(Slots<T>& slots, Slot slot, Slot next) {
    const Slot previous = next == kNoSlot ? back_ : (slots[next].*link).before;
    slots[slot].*link = {previous, next};
    (previous == kNoSlot ? front_ : (slots[previous].*link).after) = slot;
    (next == kNoSlot ? back_ : (slots[next].*link).before) = slot;
    ++size_;
  }

  void erase(Slots<T>& slots, Slot slot) {
    CHECK(size_ > 0);
    const Link gone = slots[slot].*link;
    (gone.before == kNoSlot ? front_ : (slots[gone.before].*link).after) = gone.after;
    (gone.after == kNoSlot ? back_ : (slots[gone.after].*link).before) = gone.before;
    slots[slot].*link = {};
    --size_;
  }

 private:
  Slot front_ = kNoSlot;
  Slot back_ = kNoSlot;
  std::uint32_t size_ = 0;
};

}  // namespace subito::scheduler
