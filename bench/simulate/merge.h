// Merge: many functions' arrivals as one stream, by a heap of who calls next.
//
// A Source is one function's calls, a value with
//   TimePoint first();             of its first call; TimePoint::max(): it has none
//   Duration service();            of the call under way
//   TimePoint next(TimePoint at);  of the call behind the one at `at`, not before it; under way now
#pragma once

#include <utility>
#include <vector>

#include "bench/simulate/min_heap.h"
#include "bench/simulate/workload.h"
#include "runtime/base/fetch_lines.h"
#include "scheduler/heap.h"

namespace subito::simulate {

template <typename Source>
class Merge final : public Workload {
 public:
  // Calls from `end` on are left out.
  Merge(std::vector<Source> sources, TimePoint end) : sources_(std::move(sources)), end_(end) {
    for (std::uint32_t i = 0; i < sources_.size(); ++i) {
      if (const TimePoint first = sources_[i].first(); first < end_) heap_.push({first, i});
    }
  }

  bool next(Arrival& arrival) override {
    if (heap_.empty()) return false;
    Due top = heap_.top();
    Source& source = sources_[top.function];
    arrival = {top.at, top.function, source.service()};
    top.at = source.next(top.at);
    if (top.at < end_) {
      heap_.replace_top(top);
    } else {
      heap_.pop();
      if (heap_.empty()) return true;
    }
    fetch_lines(&sources_[heap_.top().function], sizeof(Source));  // it is next, some time on
    return true;
  }

 private:
  struct Due {
    TimePoint at;
    std::uint32_t function = 0;
    friend bool operator<(const Due& a, const Due& b) {
      return scheduler::before(a.at.time_since_epoch().count(), a.function,
                               b.at.time_since_epoch().count(), b.function);
    }
  };

  std::vector<Source> sources_;
  MinHeap<Due> heap_;
  TimePoint end_;
};

}  // namespace subito::simulate
