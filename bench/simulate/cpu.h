// Cpu: cores shared by all that runs on a node. As long as there are no more jobs than cores each
// has one; beyond that all get the same share (processor sharing), as Linux gives processes of
// equal weight. Exact, by virtual time: the work that each running job has been given since the
// start of all. A job of work w that begins at V ends when V reaches w + its beginning, whoever
// else comes and goes, so every event costs O(log jobs).
//
// Two jobs of 10 ms that begin together on one core both end at 20 ms; one that begins at 0 and one
// at 5 ms end at 15 and 20 ms.
//
// Integers: virtual time counts 1/1024 ns, and a job is off by less than that for each event during
// its life. Part of the simulation, same thread.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/time.h"
#include "scheduler/heap.h"
#include "scheduler/slots.h"

namespace subito::simulate {

using scheduler::kNoSlot;
using scheduler::Slot;

class Cpu {
 public:
  // 0 cores: as many as there are jobs.
  explicit Cpu(std::uint32_t cores) : cores_(cores) {}

  // Jobs are small numbers of the owner. `now` never goes back.
  void begin(TimePoint now, Slot job, Duration work);
  void remove(TimePoint now, Slot job);
  std::size_t jobs() const { return heap_.size(); }
  // When the next job ends if nothing else happens; TimePoint::max(): there is none. Of those that
  // end together the first begun is the first.
  TimePoint next() const;
  // At next(): takes out the job that ends.
  Slot take_ended(TimePoint now);

 private:
  struct Key {
    std::int64_t ends = 0;  // in virtual time
    std::uint64_t sequence = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  auto positions() {
    return [this](Slot slot) -> Slot& { return position_[slot]; };
  }
  bool crowded() const { return cores_ != 0 && heap_.size() > cores_; }
  void advance(TimePoint now);

  std::uint32_t cores_;
  scheduler::Heap<Key> heap_;
  std::vector<Slot> position_;  // by job, in the heap
  TimePoint latest_{};
  std::int64_t virtual_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace subito::simulate
