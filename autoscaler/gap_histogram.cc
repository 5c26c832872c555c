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
constexpr std::array<std::int64_t, GapHistogram::kEdges> make_middles() {
  std::array<std::int64_t, GapHistogram::kEdges> out{};
  out[0] = kEdgeMicros[0] / 2;
  for (std::size_t i = 1; i < out.size(); ++i) out[i] = (kEdgeMicros[i - 1] + kEdgeMicros[i]) / 2;
  return out;
}
constexpr auto kMiddleMicros = make_middles();

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
  const std::size_t bin = bin_of(gap);
  if (counts_[bin] == std::numeric_limits<std::uint16_t>::max()) halve();
  ++counts_[bin];
  ++count_;
  used_ |= std::uint64_t{1} << bin;
  answered_ = answered_ && confirms(bin);
}

// Whether one more gap in this bin leaves the answer as it is, because it adds least to the cost of
// that. A gap adds its middle to each T that covers it, and T and the price to each that does not.
//   the answer is 0: the price is no more than the middle
//   the answer covers the gap, as all longer T do: the middle is no more than the price
bool GapHistogram::confirms(std::size_t bin) const {
  if (answer_ == 0) return bin == kEdges || price_most_ <= kMiddleMicros[bin];
  return bin < answer_ && kMiddleMicros[bin] <= price_least_;
}

void GapHistogram::halve() {
  count_ = 0;
  used_ = 0;
  answered_ = false;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    count_ += counts_[bin] /= 2;
    used_ |= std::uint64_t{counts_[bin] > 0} << bin;
  }
}

// The higher the price, the longer the cheapest T: what it is at two prices it is in between.
Duration GapHistogram::cheapest(Duration price, Duration limit) const {
  const std::int64_t start = std::min(micros(price), kPriceMax);
  const auto edges = static_cast<std::uint8_t>(bin_of(limit));
  const bool alike = answered_ && edges == edges_;
  if (!alike || start < price_least_ || start > price_most_) {
    const std::uint8_t answer = find_cheapest(start, edges);
    const bool widens = alike && answer == answer_;
    price_least_ = widens ? std::min(price_least_, start) : start;
    price_most_ = widens ? std::max(price_most_, start) : start;
    answered_ = true;
    answer_ = answer;
    edges_ = edges;
  }
  return answer_ == 0 ? Duration::zero() : edge(answer_ - 1U);
}

// As answer_ is.
std::uint8_t GapHistogram::find_cheapest(std::int64_t price, std::size_t edges) const {
  std::int64_t beyond = count_;  // gaps that T does not cover
  std::int64_t covered = 0;      // summed, of those that it does
  std::size_t best = 0;
  std::int64_t least = beyond * price;
  // Bins without a gap are passed over: a longer T that covers no more gaps costs more.
  for (std::uint64_t left = used_; left != 0; left &= left - 1) {
    const auto bin = static_cast<std::size_t>(std::countr_zero(left));
    if (bin >= edges) break;
    beyond -= counts_[bin];
    covered += counts_[bin] * kMiddleMicros[bin];
    // Any longer T costs no less: each gap beyond this edge costs that much at least.
    if (covered + beyond * kEdgeMicros[bin] >= least) break;
    const std::int64_t cost = covered + beyond * (kEdgeMicros[bin] + price);
    // Without a branch: nobody can foretell it.
    const auto less = -static_cast<std::int64_t>(cost < least);  // all bits, or none
    least ^= (least ^ cost) & less;
    best ^= (best ^ (bin + 1)) & static_cast<std::size_t>(less);
  }
  return static_cast<std::uint8_t>(best);
}

}  // namespace subito::autoscaler
