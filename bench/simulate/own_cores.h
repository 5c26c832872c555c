// OwnCores: jobs that each have a core to themselves, as on a node that is never short of them: one
// of work w that begins at t ends at t + w. What Cpu is when nothing is to be shared. An event
// costs O(log jobs). Part of the Cpu, same thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bench/simulate/min_heap.h"
#include "runtime/base/check.h"
#include "runtime/base/time.h"
#include "scheduler/heap.h"
#include "scheduler/slots.h"

namespace subito::simulate {

class OwnCores {
 public:
  using Slot = scheduler::Slot;

  // As Cpu has them.
  void begin(TimePoint now, Slot job, Duration work) {
    if (running_.size() <= job) running_.resize(job + 1);
    CHECK(running_[job] == 0);
    if (++sequence_ == 0) ++sequence_;  // 0: it does not run
    running_[job] = sequence_;
    heap_.push({(now + work).time_since_epoch().count(), sequence_, job});
    ++jobs_;
  }
  void remove(Slot job) {
    if (job >= running_.size() || running_[job] == 0) return;
    running_[job] = 0;
    --jobs_;
    drop_ended();
  }
  std::size_t jobs() const { return jobs_; }
  TimePoint next() const {
    return heap_.empty() ? TimePoint::max() : TimePoint(Duration(heap_.top().ends));
  }
  Slot next_job() const { return heap_.empty() ? scheduler::kNoSlot : heap_.top().job; }
  Slot job_after() const {
    const Key* const second = heap_.second();
    return second == nullptr ? scheduler::kNoSlot : second->job;
  }
  Slot take_ended(TimePoint now) {
    CHECK(next() <= now && jobs_ > 0);
    const Slot job = heap_.top().job;
    running_[job] = 0;
    --jobs_;
    heap_.pop();
    if (heap_.size() > jobs_) drop_ended();
    return job;
  }

 private:
  static constexpr std::size_t kGoneMin = 64;

  // 16 bytes: four of them, the children of one, take a cache line or two.
  struct Key {
    std::int64_t ends = 0;
    // It may start anew, after four thousand million jobs: order is asked of those alone that end
    // at the very same time.
    std::uint32_t sequence = 0;
    Slot job = scheduler::kNoSlot;
    friend bool operator<(const Key& a, const Key& b) {
      return scheduler::before(a.ends, a.sequence, b.ends, b.sequence);
    }
  };
  bool runs(const Key& key) const { return running_[key.job] == key.sequence; }

  // Who was removed stays in the heap until it comes to the top, or such are most of it.
  void drop_ended() {
    while (!heap_.empty() && !runs(heap_.top())) heap_.pop();
    if (heap_.size() <= 2 * jobs_ + kGoneMin) return;
    heap_.remove_if([this](const Key& key) { return !runs(key); });
  }

  MinHeap<Key> heap_;                   // its top runs
  std::vector<std::uint32_t> running_;  // by job, the sequence of its Key; 0: it does not run
  std::uint32_t sequence_ = 0;
  std::size_t jobs_ = 0;
};

}  // namespace subito::simulate
