// The page of --html.
#include <algorithm>

#include "bench/figures.h"
#include "bench/simulate/report.h"
#include "bench/simulate/text.h"
#include "bench/svg.h"

namespace subito::simulate {
namespace {

using bench::format;

using bench::Axis;
using bench::colour;
using bench::escaped;

constexpr bench::Paper kPaper{900, 360, 70, 20, 16, 44};
constexpr double kFrom = kPaper.left;
constexpr double kTo = kPaper.width - kPaper.right;
constexpr double kFloor = kPaper.height - kPaper.bottom;

// The same policy has the same colour, whatever the cold start.
std::vector<std::string> policies_of(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const Outcome& outcome : comparison.outcomes) {
    if (std::find(names.begin(), names.end(), outcome.policy) == names.end()) {
      names.push_back(outcome.policy);
    }
  }
  return names;
}

std::size_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

// ": instant, fixed.", each name in its colour.
std::string legend(const std::vector<std::string>& names) {
  return ": " + bench::coloured(names) + ".";
}

// With several cold starts the points of a policy are joined, and each says its start.
std::string latency_against_memory(const Comparison& comparison) {
  double low_x = 1e18, high_x = 0, low_y = 1e18, high_y = 0;
  for (const Outcome& it : comparison.outcomes) {
    low_x = std::min(low_x, it.gb_seconds_idle / 3600);
    high_x = std::max(high_x, it.gb_seconds_idle / 3600);
    low_y = std::min(low_y, it.slowdown_p99_functions);
    high_y = std::max(high_y, it.slowdown_p99_functions);
  }
  const Axis x(std::max(low_x, 1e-3), high_x, true, kFrom, kTo);
  const Axis y(std::max(low_y, 1.0), high_y, true, kFloor, kPaper.top);
  std::string svg =
      bench::frame(kPaper, x, y, "memory of idle pods, GB h", "slowdown, p99 of a function");
  const auto names = policies_of(comparison);
  const bool one_start = names.size() == comparison.outcomes.size();
  std::vector<std::string> lines(names.size());
  std::string points;
  for (const Outcome& it : comparison.outcomes) {
    const double at_x = x.at(std::max(it.gb_seconds_idle / 3600, 1e-3));
    const double at_y = y.at(it.slowdown_p99_functions);
    const std::size_t series = index_of(names, it.policy);
    lines[series] += format("%.1f,%.1f ", at_x, at_y);
    points +=
        format("<circle cx='%.1f' cy='%.1f' r='5' fill='%s'/>", at_x, at_y, colour(series).c_str());
    const bool right = at_x > kPaper.width * 0.7 && one_start;
    points += format("<text class='name' x='%.1f' y='%.1f' text-anchor='%s'>",
                     right ? at_x - 9 : at_x + 9, at_y + 4, right ? "end" : "start") +
              escaped(one_start ? it.policy : it.cold_start) + "</text>";
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    svg += "<polyline class='line' stroke='" + colour(i) + "' points='" + lines[i] + "'/>";
  }
  return bench::picture(kPaper, svg + points, "Latency against memory",
                        "Nearer to the lower left is better: less waiting for less memory" +
                            (one_start ? std::string(".") : legend(names)));
}

std::string pods_over_time(const Comparison& comparison) {
  double hours = 0;
  double high = 0;
  for (const Outcome& it : comparison.outcomes) {
    hours = std::max(hours, std::chrono::duration<double>(it.duration).count() / 3600);
    for (const double pods : it.pods_over_time) high = std::max(high, pods);
  }
  const Axis x(0, hours, false, kFrom, kTo);
  const Axis y(0, high, false, kFloor, kPaper.top);
  std::string svg = bench::frame(kPaper, x, y, "hours", "pods");
  const auto names = policies_of(comparison);
  const std::string& start = comparison.outcomes.front().cold_start;
  for (const Outcome& it : comparison.outcomes) {
    if (it.cold_start != start) continue;
    svg += "<polyline class='line' stroke='" + colour(index_of(names, it.policy)) + "' points='";
    const double bucket = std::chrono::duration<double>(it.bucket).count() / 3600;
    for (std::size_t i = 0; i < it.pods_over_time.size(); ++i) {
      svg += format("%.1f,%.1f ", x.at((static_cast<double>(i) + 0.5) * bucket),
                    y.at(it.pods_over_time[i]));
    }
    svg += "'/>";
  }
  return bench::picture(kPaper, svg, "Pods over time",
                        "In any state, with a cold start of " + escaped(start) + legend(names));
}

}  // namespace

std::string to_html(const Comparison& comparison) {
  std::string page = bench::page_head("subito simulate");
  page += "<h1>Policies compared</h1>\n<p>" + escaped(comparison.workload) + "<br>" +
          escaped(comparison.node) + "<br><code>" + escaped(comparison.command) + "</code></p>\n";
  if (!comparison.outcomes.empty()) {
    page += "<h2>Latency against memory</h2>\n" + latency_against_memory(comparison) +
            "<h2>Pods over time</h2>\n" + pods_over_time(comparison);
  }
  return page + "<h2>Figures</h2>\n<pre>" + escaped(to_text(comparison)) + "</pre>\n</html>\n";
}

}  // namespace subito::simulate
