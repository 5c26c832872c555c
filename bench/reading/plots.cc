#include "bench/reading/plots.h"

#include <algorithm>
#include <cmath>

#include "bench/figures.h"
#include "bench/svg.h"

namespace subito::bench {

namespace {

constexpr double kPlotWidth = 520;  // 12 units of text stay readable on a phone
constexpr double kPlotLeft = 44;
constexpr double kBoxLeft = 14;
constexpr double kPlotRight = 18;
constexpr double kPlotTop = 10;
constexpr double kPlotBottom = 42;
constexpr double kRowHeight = 42;
constexpr double kStepHeight = 300;
constexpr double kLogarithmFrom = 12;     // times the smallest sample
constexpr std::size_t kStrokesMax = 300;  // more would be one grey bar
constexpr std::size_t kStepsMax = 200;

struct Range {
  double low = 0;
  double high = 1;
};

Range range_of(const std::vector<PlotRow>& rows) {
  Range range{rows.front().samples.front(), rows.front().samples.back()};
  for (const PlotRow& row : rows) {
    range.low = std::min(range.low, row.samples.front());
    range.high = std::max(range.high, row.samples.back());
  }
  return range;
}

Axis axis_of(const std::vector<PlotRow>& rows, double from, double to) {
  const Range range = range_of(rows);
  if (wants_logarithm(rows)) return Axis(range.low, range.high, true, from, to);
  return Axis(0, range.high > 0 ? range.high * 1.02 : 1, false, from, to);
}

std::string axis_words(const std::vector<PlotRow>& rows, const std::string& axis) {
  return wants_logarithm(rows) ? axis + ", by powers of ten" : axis + ", from 0";
}

std::string stroke(double x, double top, double bottom, const std::string& style) {
  return format("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' ", x, x, top, bottom) + style + "/>";
}

std::string strokes(const PlotRow& row, const Axis& x, double top) {
  const std::size_t step = (row.samples.size() + kStrokesMax - 1) / kStrokesMax;
  const std::string style = "stroke='" + colour(row.colour) + "' stroke-opacity='0.45'";
  std::string svg;
  for (std::size_t i = 0; i < row.samples.size(); i += step) {
    svg += stroke(x.at(row.samples[i]), top + 2, top + 12, style);
  }
  return svg;
}

std::string box_of(const PlotRow& row, const Axis& x, double top) {
  const std::string line = "stroke='" + colour(row.colour) + "' stroke-width='";
  const double median = x.at(quantile(row.samples, 0.5));
  std::string svg;
  if (row.samples.size() >= kBoxSamplesMin) {
    const double low = x.at(quantile(row.samples, 0.25));
    const double high = x.at(quantile(row.samples, 0.75));
    svg +=
        format("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' ", x.at(quantile(row.samples, 0.05)),
               x.at(quantile(row.samples, 0.95)), top + 7, top + 7) +
        line + "1.5'/>";
    svg += format("<rect x='%.1f' y='%.1f' width='%.1f' height='14' fill='", low, top,
                  std::max(high - low, 1.0)) +
           colour(row.colour) + "' fill-opacity='0.3' " + line + "1'/>";
  }
  return svg + stroke(median, top - 2, top + 16, line + "3'");
}

std::string steps_of(const PlotRow& row, const Axis& x, const Axis& y) {
  std::string svg = "<polyline class='line' stroke='" + colour(row.colour) + "'";
  if (row.colour >= 6) svg += " stroke-dasharray='6 3'";  // colours come again
  svg += " points='";
  const std::size_t count = row.samples.size();
  const std::size_t step = (count + kStepsMax - 1) / kStepsMax;
  double before = y.at(0);
  for (std::size_t taken = 0; taken < count;) {
    taken = std::min(taken + step, count);
    const double at = x.at(row.samples[taken - 1]);
    const double share = y.at(100.0 * static_cast<double>(taken) / static_cast<double>(count));
    svg += format("%.1f,%.1f %.1f,%.1f ", at, before, at, share);
    before = share;
  }
  return svg + "'/>";
}

}  // namespace

double quantile(const std::vector<double>& ascending, double fraction) {
  const double rank = std::ceil(fraction * static_cast<double>(ascending.size()));
  const auto place = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return ascending[std::min(place, ascending.size() - 1)];
}

bool wants_logarithm(const std::vector<PlotRow>& rows) {
  const Range range = range_of(rows);
  return range.low > 0 && range.high / range.low > kLogarithmFrom;
}

std::string box_plot(const std::vector<PlotRow>& rows, const std::string& axis,
                     const std::string& caption) {
  const double height = kPlotTop + kRowHeight * static_cast<double>(rows.size()) + kPlotBottom;
  const Paper paper{kPlotWidth, height, kBoxLeft, kPlotRight, kPlotTop, kPlotBottom};
  const Axis x = axis_of(rows, kBoxLeft, kPlotWidth - kPlotRight);
  std::string svg = frame_x(paper, x, axis_words(rows, axis));
  double top = kPlotTop;
  for (const PlotRow& row : rows) {
    svg += format("<text class='name' x='%.1f' y='%.1f'>", kBoxLeft + 2, top + 12) +
           escaped(row.name) + "</text>" + strokes(row, x, top + 20) + box_of(row, x, top + 20);
    top += kRowHeight;
  }
  return picture(paper, svg, "Boxes of " + axis, caption);
}

std::string step_plot(const std::vector<PlotRow>& rows, const std::string& axis,
                      const std::string& caption) {
  const Paper paper{kPlotWidth, kStepHeight, kPlotLeft, kPlotRight, kPlotTop, kPlotBottom};
  const Axis x = axis_of(rows, kPlotLeft, kPlotWidth - kPlotRight);
  const Axis y(0, 100, false, kStepHeight - kPlotBottom, kPlotTop);
  std::string svg = frame(paper, x, y, axis_words(rows, axis), "% of samples");
  for (const PlotRow& row : rows) svg += steps_of(row, x, y);
  return picture(paper, svg, "Share of samples by " + axis, caption);
}

}  // namespace subito::bench
