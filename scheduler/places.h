// Places: how many pods the node holds, by the height of their functions, and so for which heights
// there is room. It keeps a full node of functions that call each other from standing still:
//
//   With N places, N checkouts that each wait for stock would hold all of them, and no stock could
//   start. So pods of height 1 and more may take N - 1 places at most, of height 2 and more N - 2,
//   and so on. A pod of height 0 waits for no other: the place that is left to it comes free again
//   and again. By it those of height 1 come to their end, by them those of height 2.
//
// Height: the longest chain of calls below a function (limits.h). Heights from N - 1 on count as
// N - 1: such a chain does not fit on the node at once, and its deadline ends it. A value; pure.
#pragma once

#include <array>
#include <cstdint>

#include "scheduler/limits.h"

namespace subito::scheduler {

class Places {
 public:
  // `max`: pods the node may hold, at least 1.
  explicit Places(std::uint32_t max) : max_(max) {}

  void add(std::uint32_t height, std::uint32_t pods = 1);
  void remove(std::uint32_t height, std::uint32_t pods = 1);
  std::uint32_t taken() const { return at_least_[0]; }

  // Places that pods of this height may still take. Never more for a greater height.
  std::uint32_t room(std::uint32_t height) const;
  // The height from which on a pod must leave to make room for one of `height`: the strictest of
  // the levels that have none. 0 when any will do, or when there is room.
  std::uint32_t helped_from(std::uint32_t height) const;

 private:
  std::uint32_t clamp(std::uint32_t height) const;
  std::uint32_t room_at(std::uint32_t level) const;

  std::uint32_t max_;
  std::array<std::uint32_t, kHeightMax + 1> at_least_{};  // pods of this height and more
};

}  // namespace subito::scheduler
