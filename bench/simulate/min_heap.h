// MinHeap: what comes first of many, by `<` of the entries, which must all differ. Unlike the
// scheduler's Heap it writes nothing down about where an entry is: nothing is taken out of its
// middle but by remove_if. Four children each, and no branch on which of them is least. A container
// of one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/base/check.h"

namespace subito::simulate {

template <typename Entry>
class MinHeap {
 public:
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const Entry& top() const { return entries_.front(); }
  // Likely the one behind the top.
  const Entry* second() const { return size() < 2 ? nullptr : &entries_[least_child(0)]; }

  // A copy made in its place at once would be read there in larger pieces than it was written in.
  void push(const Entry& entry) {
    entries_.emplace_back();
    rise(entries_.size() - 1, entry);
  }

  // The hole goes all the way down, as who is last belongs there most likely.
  void pop() {
    CHECK(!entries_.empty());
    const Entry last = entries_.back();
    entries_.pop_back();
    if (entries_.empty()) return;
    std::size_t hole = 0;
    for (; kChildren * hole + 1 < entries_.size();) {
      const std::size_t child = least_child(hole);
      entries_[hole] = entries_[child];
      hole = child;
    }
    rise(hole, last);
  }

  // pop() and push(): who comes back is likely to be among the first again.
  void replace_top(const Entry& entry) { sink(0, entry); }

  template <typename Predicate>
  void remove_if(Predicate&& predicate) {
    std::erase_if(entries_, predicate);
    if (entries_.size() < 2) return;
    for (std::size_t at = (entries_.size() - 2) / kChildren + 1; at-- > 0;) {
      const Entry entry = entries_[at];
      sink(at, entry);
    }
  }

 private:
  static constexpr std::size_t kChildren = 4;

  void rise(std::size_t hole, const Entry& entry) {
    const Entry moving = entry;
    while (hole > 0 && moving < entries_[(hole - 1) / kChildren]) {
      entries_[hole] = entries_[(hole - 1) / kChildren];
      hole = (hole - 1) / kChildren;
    }
    entries_[hole] = moving;
  }

  void sink(std::size_t hole, const Entry& moving) {
    while (kChildren * hole + 1 < entries_.size()) {
      const std::size_t child = least_child(hole);
      if (!(entries_[child] < moving)) break;
      entries_[hole] = entries_[child];
      hole = child;
    }
    entries_[hole] = moving;
  }

  // Of an entry that has children.
  std::size_t least_child(std::size_t at) const {
    const std::size_t first = kChildren * at + 1;
    const Entry* const child = &entries_[first];
    const std::size_t count = entries_.size() - first;
    if (count >= kChildren) {
      const auto left = static_cast<std::size_t>(child[1] < child[0]);
      const auto right = 2 + static_cast<std::size_t>(child[3] < child[2]);
      const auto other = static_cast<std::size_t>(child[right] < child[left]);
      return first + left + other * (right - left);
    }
    std::size_t least = 0;
    for (std::size_t i = 1; i < count; ++i) {
      if (child[i] < child[least]) least = i;
    }
    return first + least;
  }

  std::vector<Entry> entries_;
};

}  // namespace subito::simulate
