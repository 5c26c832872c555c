// Measures: what every report of `subito bench` says in one shape, whatever its suite, so that one
// page and one comparison can read them all. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/statistics.h"

namespace subito::bench {

// One row of one figure; rows of a figure are measured alike and may stand in one picture.
struct Measure {
  std::string figure;  // "start to answer, echo"
  std::string row;     // "pooled"
  std::string unit;    // "ms", "us", "1/s", "bytes", "ratio"
  bool more_is_better = false;
  std::string again;            // the row of the same thing, measured twice: they differ by noise
  std::vector<double> samples;  // in the order they were taken; finite, never below 0
  // False: it is here to be seen. A comparison of two runs takes the ratio to the reference of the
  // same run, another figure, which does not move with the machine.
  bool counts = true;
};
inline constexpr const char* kRatioUnit = "ratio";

// In ms, of times in ns.
Measure times_measure(std::string figure, std::string row, const Samples& samples);
// Round by round of as many as both have.
Measure ratio_measure(std::string figure, std::string row, const Samples& samples,
                      const Samples& reference);

// What a report's JSON has under "measures". A measure without samples is left out.
nlohmann::ordered_json measures_json(const std::vector<Measure>& measures);

}  // namespace subito::bench
