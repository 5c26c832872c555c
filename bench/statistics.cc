#include "bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace subito::bench {

namespace {

constexpr double kTail = 0.025;

std::size_t rank_of(std::size_t count, double fraction) {
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(count)));
  return std::clamp<std::size_t>(rank, 1, count) - 1;
}

std::int64_t percentile_of_a_draw(const Samples& samples, double fraction,
                                  std::mt19937_64& random) {
  std::uniform_int_distribution<std::size_t> any(0, samples.size() - 1);
  Samples drawn(samples.size());
  for (std::int64_t& one : drawn) one = samples[any(random)];
  return percentile(std::move(drawn), fraction);
}

double quotient(std::int64_t above, std::int64_t below) {
  return below == 0 ? 0 : static_cast<double>(above) / static_cast<double>(below);
}

}  // namespace

std::int64_t percentile(Samples samples, double fraction) {
  if (samples.empty()) return 0;
  const auto place =
      samples.begin() + static_cast<std::ptrdiff_t>(rank_of(samples.size(), fraction));
  std::nth_element(samples.begin(), place, samples.end());
  return *place;
}

Ratio ratio_of_percentiles(const Samples& samples, const Samples& base, double fraction,
                           std::uint64_t seed) {
  if (samples.empty() || base.empty()) return {};
  std::mt19937_64 random(seed);
  std::vector<double> ratios(kResamples);
  for (double& ratio : ratios) {
    const std::int64_t above = percentile_of_a_draw(samples, fraction, random);
    ratio = quotient(above, percentile_of_a_draw(base, fraction, random));
  }
  std::sort(ratios.begin(), ratios.end());
  return {ratios[rank_of(kResamples, kTail)],
          quotient(percentile(samples, fraction), percentile(base, fraction)),
          ratios[rank_of(kResamples, 1 - kTail)]};
}

Ratio ratio_of_medians(const Samples& samples, const Samples& base, std::uint64_t seed) {
  return ratio_of_percentiles(samples, base, 0.5, seed);
}

}  // namespace subito::bench
