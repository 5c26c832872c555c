// Cpu: cores shared by all that runs on a node. A job takes one core at most. As long as there are
// no more jobs than cores each has one; beyond that each gets a part by its share, as Linux gives
// processes by their weight, and what somebody cannot take goes to the others.
//
// Two jobs of 10 ms and of the same share that begin together on one core both end at 20 ms; one
// that begins at 0 and one at 5 ms end at 15 and 20 ms. If the second has three times the share of
// the first it runs at three quarters of the core.
//
// Exact, by virtual time: jobs of the same share always run at the same speed, so they form a
// class, and the class counts the work that each of its jobs has been given since the start of all.
// A job of work w that begins at V ends when V reaches w + its beginning, whoever else comes and
// goes. An event costs O(log jobs + classes). Shares are few: those of scheduler/cpu_shares.h for
// functions of one weight are a dozen.
//
// Integers: virtual time counts 1/1024 ns, and a job is off by less than that for each event during
// its life. Part of the simulation, same thread.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/simulate/min_heap.h"
#include "bench/simulate/own_cores.h"
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

  // Jobs are small numbers of the owner. An earlier `now` counts as the latest. `share`: above 0.
  void begin(TimePoint now, Slot job, Duration work, std::uint32_t share = 1);
  // The job runs: from now on it gets by this share.
  void set_share(TimePoint now, Slot job, std::uint32_t share);
  void remove(TimePoint now, Slot job);
  std::size_t jobs() const { return cores_ == 0 ? own_.jobs() : jobs_; }
  // When the next job ends if nothing else happens; TimePoint::max(): there is none. Of those that
  // end together the first begun is the first.
  TimePoint next() { return cores_ == 0 ? own_.next() : first_to_end().at; }
  Slot next_job();   // which ends then; kNoSlot: none
  Slot job_after();  // a hint: likely the one that ends next after it; kNoSlot: none
  // At next(): takes out the job that ends.
  Slot take_ended(TimePoint now);

 private:
  struct Key {
    std::int64_t ends = 0;  // in virtual time of the class
    std::uint64_t sequence = 0;
    Slot job = kNoSlot;
    friend bool operator<(const Key& a, const Key& b) {
      return scheduler::before(a.ends, a.sequence, b.ends, b.sequence);
    }
  };
  // Jobs of one share. They run at num / den of a core, 1 at most.
  struct Class {
    std::uint32_t share = 0;
    MinHeap<Key> heap;       // with what was taken out of its middle; not its top
    std::uint32_t jobs = 0;  // of the heap, those that run
    std::int64_t virtual_time = 0;
    std::int64_t num = 1;
    std::int64_t den = 1;
  };
  struct Place {
    std::int64_t ends = 0;       // as in its Key
    std::uint64_t sequence = 0;  // 0: it does not run
    std::uint32_t share = 0;
  };
  // Else it was taken out, or got another share.
  bool runs(const Class& one, const Key& key) const {
    const Place& place = places_[key.job];
    return place.sequence == key.sequence && place.share == one.share && place.ends == key.ends;
  }
  Class& class_of(std::uint32_t share);
  struct Next {
    const Class* whose = nullptr;  // null: nothing runs
    TimePoint at = TimePoint::max();
  };
  TimePoint end_of(const Class& one) const;
  const Next& first_to_end();
  void put(Slot job, std::uint32_t share, std::int64_t left, std::uint64_t sequence);
  void take(Slot job);
  void advance(TimePoint now);
  void share_out();

  std::uint32_t cores_;
  OwnCores own_;                // all there is, without a number of cores
  std::vector<Class> classes_;  // the greatest share first; they stay, though empty
  std::vector<Place> places_;   // by job
  std::size_t jobs_ = 0;
  bool crowded_ = false;  // more jobs than cores
  bool known_ = false;    // next_ is of now
  Next next_;
  TimePoint latest_{};
  std::uint64_t sequence_ = 0;
};

}  // namespace subito::simulate
