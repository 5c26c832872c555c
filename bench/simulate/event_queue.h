// EventQueue: what happens to pods and when, in order of time, then of having been arranged. What
// is arranged for the same time on or later than all before it of its kind joins the end of a list,
// as all ends of pods and all starts that take equally long do; the others go into a heap. Part of
// the simulation, same thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "bench/simulate/min_heap.h"
#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "scheduler/heap.h"

namespace subito::simulate {

struct Event {
  TimePoint at;
  std::uint64_t sequence = 0;
  PodId pod;
  bool exits = false;  // else: is ready
  bool killed = false;
  friend bool operator<(const Event& a, const Event& b) {
    return scheduler::before(a.at.time_since_epoch().count(), a.sequence,
                             b.at.time_since_epoch().count(), b.sequence);
  }
};

class EventQueue {
 public:
  // Later ones have greater sequences.
  void push(const Event& event) {
    List& list = lists_[event.exits ? 1 : 0];
    if (list.empty() || list.last() <= event.at) {
      list.push(event);
    } else {
      heap_.push(event);
    }
    next_ = std::min(next_, event.at);
  }
  TimePoint next() const { return next_; }  // TimePoint::max(): there is none
  // Of which there must be one.
  Event take() {
    List* list = &lists_[0];
    if (list->empty() || (!lists_[1].empty() && lists_[1].first() < list->first())) {
      list = &lists_[1];
    }
    const bool from_heap = !heap_.empty() && (list->empty() || heap_.top() < list->first());
    const Event event = from_heap ? heap_.top() : list->first();
    if (from_heap) {
      heap_.pop();
    } else {
      list->pop();
    }
    next_ = heap_.empty() ? TimePoint::max() : heap_.top().at;
    for (const List& one : lists_) {
      if (!one.empty()) next_ = std::min(next_, one.first().at);
    }
    return event;
  }

 private:
  // First in, first out, in a ring that grows.
  class List {
   public:
    bool empty() const { return begin_ == end_; }
    const Event& first() const { return ring_[begin_ & (ring_.size() - 1)]; }
    TimePoint last() const { return ring_[(end_ - 1) & (ring_.size() - 1)].at; }
    void pop() { ++begin_; }
    void push(const Event& event) {
      if (end_ - begin_ == ring_.size()) grow();
      ring_[end_++ & (ring_.size() - 1)] = event;
    }

   private:
    void grow() {
      std::vector<Event> more(ring_.size() * 2);
      for (std::size_t i = begin_; i != end_; ++i) more[i - begin_] = ring_[i & (ring_.size() - 1)];
      end_ -= begin_;
      begin_ = 0;
      ring_ = std::move(more);
    }

    std::vector<Event> ring_ = std::vector<Event>(64);  // a power of two
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
  };

  std::array<List, 2> lists_;  // starts, ends
  MinHeap<Event> heap_;
  TimePoint next_ = TimePoint::max();
};

}  // namespace subito::simulate
