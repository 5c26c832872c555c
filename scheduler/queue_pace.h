// QueuePace: how fast a function's queue gets shorter, and so how long who joins it will wait. It
// looks at nothing but the ends of invocations behind which others wait, so it is right whatever
// makes them slow: other functions on the same cores, a database, pods that come and go. Lives
// inside the function's record; a value.
//
//   pace = mean time from one end to the next while somebody waits
//   wait = pace * those who wait
//
// Worked: pods end one invocation each 11 ms together, so the last of 900 waits 9.9 s.
//
// The mean is steady, or it lets too many in: newcomers of a flood join at every dip of it, and the
// queue comes to be as long as the lowest dip allowed. Over the last gaps it moves by a 64th of the
// distance; a mean that moves by an eighth dips by a fifth. What an earlier queue told counts as
// 8 gaps, so that a new one is soon known for what it is.
#pragma once

#include <cstdint>

#include "runtime/base/time.h"

namespace subito::scheduler {

class QueuePace {
 public:
  static constexpr std::uint32_t kGapsMax = 64;
  static constexpr std::uint32_t kGapsOfEarlier = 8;

  // An invocation ended. `others_wait`: as it was until then.
  void ended(TimePoint now, bool others_wait);
  // Enough ends were seen for the wait to mean anything.
  bool known() const { return gaps_ >= kGapsOfEarlier; }
  // Until the last of `waiting` has its turn. 0 before the first gap; the longest Duration where
  // it would not fit.
  Duration wait(std::uint32_t waiting) const;

 private:
  Duration mean_{};
  TimePoint last_end_{};  // TimePoint(): nobody waited
  std::uint32_t gaps_ = 0;
};

}  // namespace subito::scheduler
