// GapHistogram: how long the gaps between uses of a pod were, and for how long it pays to keep the
// pod after a use. Inside the Instant policy, one for each class of levels (level_gaps.h); a value
// of 128 bytes.
//
// Bins are half octaves from 16 ms to 37 h: 16 ms, 24, 32, 48, 64, 96, ... Counts are halved when
// one is full, so that the histogram follows change.
//
// Break-even. A pod that is kept for T after a use costs the gap, if the next use comes within T;
// else it costs T, and the start of another, which is worth `price` of idle pod:
//
//   cost(T) = sum over gaps of (gap < T ? gap : T + price)
//
// Worked: 90 gaps of about 8 ms and 10 of about 10 s. With a price of 1 s, T = 0 costs 100 s, 16 ms
// costs 90 * 8 ms + 10 * 1.016 s = 10.9 s, 12.3 s costs 103 s: keep for 16 ms. With a price of 20 s
// the same are 2000, 201 and 103 s: keep for 12.3 s.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/base/time.h"

namespace subito::autoscaler {

class GapHistogram {
 public:
  static constexpr std::size_t kEdges = 47;

  void add(Duration gap);
  std::uint32_t count() const { return count_; }

  // The T of least cost among 0 and the edges up to `limit`; the shortest of equals. The last
  // answer is remembered, with the prices it is known to hold for, until a gap is added that may
  // change it: it is asked for several times between two gaps, and the price follows a mean.
  Duration cheapest(Duration price, Duration limit) const;

  // Bin i holds the gaps from edge(i - 1) up to and without edge(i); the last those from edge(46).
  static Duration edge(std::size_t bin);
  static std::size_t bin_of(Duration gap);

 private:
  void halve();
  bool confirms(std::size_t bin) const;
  std::uint8_t find_cheapest(std::int64_t price, std::size_t edges) const;

  std::array<std::uint16_t, kEdges + 1> counts_{};
  std::uint64_t used_ = 0;  // a bit for each bin that counts any: few do
  std::uint32_t count_ = 0;
  mutable bool answered_ = false;         // what follows is so
  mutable std::uint8_t answer_ = 0;       // 0, or one more than the bin whose edge it is
  mutable std::uint8_t edges_ = 0;        // not beyond the limit
  mutable std::int64_t price_least_ = 0;  // microseconds
  mutable std::int64_t price_most_ = 0;
};

}  // namespace subito::autoscaler
