// Plots of samples: boxes of rows one below the other, and the share of samples up to each value.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace subito::bench {

struct PlotRow {
  std::string name;
  std::size_t colour = 0;
  std::vector<double> samples;  // in ascending order, never empty
};

// Of ascending samples; as percentile() of statistics.h.
double quantile(const std::vector<double>& ascending, double fraction);

// Whether a linear axis would leave the smaller ones on one spot.
bool wants_logarithm(const std::vector<PlotRow>& rows);

// A stroke a sample, a box from 25 to 75 %, a line at the median, whiskers from 5 to 95 %.
std::string box_plot(const std::vector<PlotRow>& rows, const std::string& axis,
                     const std::string& caption);
// From 0 to 100 % of the samples; for rows of kStepSamplesMin samples on.
std::string step_plot(const std::vector<PlotRow>& rows, const std::string& axis,
                      const std::string& caption);

inline constexpr std::size_t kStepSamplesMin = 30;
inline constexpr std::size_t kBoxSamplesMin = 5;  // with fewer there are strokes and the median

}  // namespace subito::bench
