// Figures: how the benchmarks tell what they measured, in words and in JSON. Pure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/load.h"
#include "bench/statistics.h"

namespace subito::bench {

inline double ms(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

inline constexpr std::size_t kFormattedBytesMax = 512;  // longer text is cut

template <typename... Values>
std::string format(const char* form, Values... values) {
  char text[kFormattedBytesMax];
  std::snprintf(text, sizeof text, form, values...);
  return text;
}

// A percentile in whole µs, right-aligned; "-" where there are not enough samples to tell it. The
// median is always told.
std::string percentile_us_text(const Samples& samples, double fraction);

nlohmann::ordered_json to_json(const Ratio& ratio);

// Of one load: what was sent, answered and broken, and its percentiles.
nlohmann::ordered_json load_json(const LoadResult& result, std::uint32_t errors);
// Percentiles of what Server-Timing said, by its names; null when it said nothing.
nlohmann::ordered_json parts_json(const LoadResult& result);

// "Answers: 200: 50, 429: 40, broken: 0."
std::string answers_text(const LoadResult& result);
// "- NAME: queue 0.10 (0.20), start 1.00 (1.30)", a line: p50 and p99 in ms.
std::string parts_text(const char* name, const LoadResult& result);

}  // namespace subito::bench
