// MaxWindow: the largest of the values recorded within a span, in steps of a tick. Inside the
// Concurrency policy of a function; a value. O(1) amortised: a value that is not above a later one
// can never be the largest again and is dropped.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/time.h"

namespace subito::autoscaler {

class MaxWindow {
 public:
  // A span of 0 remembers nothing: record() gives its value back.
  MaxWindow(Duration span, Duration step)
      : steps_((span.count() + step.count() - 1) / step.count()), step_(step) {}

  // Records a value at `now`, which does not go back, and answers the largest of the span. Of
  // several within one step the largest counts.
  std::uint32_t record(TimePoint now, std::uint32_t value);

 private:
  struct Entry {
    std::int64_t step = 0;
    std::uint32_t value = 0;
  };

  std::int64_t steps_;
  Duration step_;
  std::vector<Entry> entries_;  // falling values; the first is the largest
};

}  // namespace subito::autoscaler
