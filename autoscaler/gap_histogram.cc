#include "autoscaler/gap_histogram.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace subito::autoscaler {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Sums are of microseconds: 48 bins of 65,535 gaps at a day and a price of a day each are 5 *
// 10^17.
std::int64_t micros(Duration duration) {
  return std::chrono::duration_cast<microseconds>(duration).count();
}

constexpr std::array<std::int64_t, GapHistogram::kEdges> make_edges() {
  std::array<std::int64_t, GapHistogram::kEdges> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::int64_t{i % 2 == 0 ? 16'000 : 24'000} << (i / 2);
  }
  return out;
}
constexpr auto kEdgeMicros = make_edges();

// A day is the longest that idle pods may be kept; no price needs to be above it.
constexpr std::int64_t kPriceMax = std::int64_t{86'400} * 1'000'000;

// Stands for the gaps of a bin: its middle.
std::int64_t middle(std::size_t bin) {
  return bin == 0 ? kEdgeMicros[0] / 2 : (kEdgeMicros[bin - 1] + kEdgeMicros[bin]) / 2;
}

}  // namespace

Duration GapHistogram::edge(std::size_t bin) {
  return microseconds(kEdgeMicros[bin]);
}

std::size_t GapHistogram::bin_of(Duration gap) {
  const auto sixteenths =
      static_cast<std::uint64_t>(std::max<std::int64_t>(micros(gap), 0)) / 16'000;
  if (sixteenths == 0) return 0;
  const auto octave = static_cast<std::size_t>(std::bit_width(sixteenths)) - 1;
  const std::size_t bin = 2 * octave + 1;
  if (bin >= kEdges) return kEdges;
  return micros(gap) < kEdgeMicros[bin] ? bin : bin + 1;
}

void GapHistogram::add(Duration gap) {
  std::uint16_t& count = counts_[bin_of(gap)];
  if (count == std::numeric_limits<std::uint16_t>::max()) halve();
  ++count;
  ++count_;
}

void GapHistogram::halve() {
  count_ = 0;
  for (std::uint16_t& count : counts_) count_ += count /= 2;
}

Duration GapHistogram::cheapest(Duration price, Duration limit) const {
  const std::int64_t start = std::min(micros(price), kPriceMax);
  const std::int64_t longest = micros(limit);
  std::int64_t beyond = count_;  // gaps that T does not cover
  std::int64_t covered = 0;      // summed, of those that it does
  std::int64_t best = 0;
  std::int64_t least = beyond * start;
  const auto consider = [&](std::int64_t keep) {
    const std::int64_t cost = covered + beyond * (keep + start);
    if (cost >= least) return;
    least = cost;
    best = keep;
  };
  for (std::size_t bin = 0; bin < kEdges && kEdgeMicros[bin] <= longest; ++bin) {
    if (counts_[bin] == 0) continue;  // a longer T without a gap covered costs more
    beyond -= counts_[bin];
    covered += counts_[bin] * middle(bin);
    consider(kEdgeMicros[bin]);
  }
  return microseconds(best);
}

}  // namespace subito::autoscaler
