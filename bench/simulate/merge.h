// Merge: many functions' arrivals as one stream, by a binary heap of who calls next.
//
// A Source is one function's calls, a value with
//   TimePoint first();             of its first call; TimePoint::max(): it has none
//   Duration service();            of the call under way
//   TimePoint next(TimePoint at);  of the call behind the one at `at`, not before it
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "bench/simulate/workload.h"
#include "runtime/base/fetch_lines.h"

namespace subito::simulate {

template <typename Source>
class Merge final : public Workload {
 public:
  // Calls from `end` on are left out.
  Merge(std::vector<Source> sources, TimePoint end) : sources_(std::move(sources)), end_(end) {
    for (std::uint32_t i = 0; i < sources_.size(); ++i) {
      if (const TimePoint first = sources_[i].first(); first < end_) heap_.push_back({first, i});
    }
    std::sort(heap_.begin(), heap_.end());  // a sorted array is a heap
  }

  bool next(Arrival& arrival) override {
    if (heap_.empty()) return false;
    Due top = heap_.front();
    Source& source = sources_[top.function];
    arrival = {top.at, top.function, source.service()};
    top.at = source.next(top.at);
    if (top.at >= end_) {
      top = heap_.back();
      heap_.pop_back();
      if (heap_.empty()) return true;
    }
    sift_down(top);
    fetch_lines(&sources_[heap_.front().function], sizeof(Source));  // it is next, some time on
    return true;
  }

 private:
  struct Due {
    TimePoint at;
    std::uint32_t function = 0;
    bool operator<(const Due& other) const {
      return at != other.at ? at < other.at : function < other.function;
    }
  };

  // Puts `due` where the top was.
  void sift_down(Due due) {
    std::size_t hole = 0;
    for (std::size_t child = 1; child < heap_.size(); child = 2 * hole + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
      if (!(heap_[child] < due)) break;
      heap_[hole] = heap_[child];
      hole = child;
    }
    heap_[hole] = due;
  }

  std::vector<Source> sources_;
  std::vector<Due> heap_;
  TimePoint end_;
};

}  // namespace subito::simulate
