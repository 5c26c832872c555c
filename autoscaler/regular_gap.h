// RegularGap: whether a function is called at regular times, as by a timer, and when the next call
// is due. Inside the Instant policy; a value. Mean and mean deviation are smoothed as those of
// TCP's round trips are (RFC 6298), in integers.
#pragma once

#include <cstdint>

#include "runtime/base/time.h"

namespace subito::autoscaler {

class RegularGap {
 public:
  // So many gaps before anything is made of them.
  static constexpr std::uint32_t kGapsMin = 8;

  void add(Duration gap);
  bool known() const { return count_ >= kGapsMin; }
  Duration mean() const { return mean_; }
  // The next gap is expected within mean() - margin() and mean() + margin(): four mean deviations,
  // and at least kMarginMin, as no timer is exact.
  Duration margin() const;

  static constexpr Duration kMarginMin = std::chrono::milliseconds(2);

 private:
  Duration mean_{};
  Duration deviation_{};
  std::uint32_t count_ = 0;
};

}  // namespace subito::autoscaler
