// The page of --html: plain SVG, made here; colours follow the reader's light or dark.
#include <algorithm>
#include <cmath>

#include "bench/figures.h"
#include "bench/simulate/report.h"
#include "bench/simulate/text.h"

namespace subito::simulate {
namespace {

using bench::format;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  }
  return out;
}

constexpr char kHead[] = R"html(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>subito simulate</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #8b949e; --line: #d0d7de; --page: #fff;
  --s0: #0969da; --s1: #bc4c00; --s2: #1a7f37; --s3: #8250df; --s4: #cf222e; --s5: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #8b949e; --line: #30363d;
  --page: #0d1117; --s0: #58a6ff; --s1: #f0883e; --s2: #3fb950; --s3: #bc8cff; --s4: #ff7b72;
  --s5: #d29922; } }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p, figcaption { color: var(--faint); } figure { margin: 0; }
pre { overflow-x: auto; font: 13px/1.5 ui-monospace, monospace; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--faint); } svg .name { fill: var(--ink); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
)html";

constexpr double kWidth = 900;
constexpr double kHeight = 360;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 16;
constexpr double kBottom = 44;

// From values to places on the paper, linear or by powers of ten.
class Axis {
 public:
  Axis(double low, double high, bool logarithmic, double from, double to)
      : log_(logarithmic), from_(from), to_(to) {
    low_ = log_ ? std::floor(std::log10(std::max(low, 1e-9))) : low;
    high_ = log_ ? std::ceil(std::log10(std::max(high, 1e-9))) : high;
    if (high_ <= low_) high_ = low_ + 1;
  }
  double at(double value) const {
    const double shown = log_ ? std::log10(std::max(value, 1e-9)) : value;
    return from_ + (shown - low_) / (high_ - low_) * (to_ - from_);
  }
  std::vector<double> ticks() const {
    std::vector<double> out;
    if (log_) {
      for (double at = low_; at <= high_; ++at) out.push_back(std::pow(10, at));
      return out;
    }
    double step = std::pow(10, std::floor(std::log10((high_ - low_) / 4)));
    while ((high_ - low_) / step > 8) step *= 2;
    for (double at = std::ceil(low_ / step) * step; at <= high_; at += step) out.push_back(at);
    return out;
  }

 private:
  bool log_;
  double from_, to_;
  double low_ = 0, high_ = 1;
};

std::string frame(const Axis& x, const Axis& y, const char* x_name, const char* y_name) {
  const double bottom = kHeight - kBottom;
  std::string svg;
  for (const double tick : x.ticks()) {
    svg += format("<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", x.at(tick),
                  x.at(tick), kTop, bottom);
    svg += format("<text x='%.1f' y='%.1f' text-anchor='middle'>%.4g</text>", x.at(tick),
                  bottom + 16, tick);
  }
  for (const double tick : y.ticks()) {
    svg += format("<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", kLeft,
                  kWidth - kRight, y.at(tick), y.at(tick));
    svg += format("<text x='%.1f' y='%.1f' text-anchor='end'>%.4g</text>", kLeft - 8,
                  y.at(tick) + 4, tick);
  }
  svg += format("<text x='%.1f' y='%.1f' text-anchor='end'>%s</text>", kWidth - kRight, kHeight - 8,
                x_name);
  svg += format("<text x='%.1f' y='%.1f'>%s</text>", kLeft + 6, kTop + 10, y_name);
  return svg;
}

std::string figure(const std::string& svg, const std::string& caption) {
  return format("<figure><svg viewBox='0 0 %g %g' role='img'>", kWidth, kHeight) + svg +
         "</svg><figcaption>" + caption + "</figcaption></figure>\n";
}

std::string colour(std::size_t series) {
  return format("var(--s%zu)", series % 6);
}

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
  std::string words;
  for (std::size_t i = 0; i < names.size(); ++i) {
    words += (i == 0 ? ": " : ", ") + ("<span style='color:" + colour(i) + "'>") +
             escaped(names[i]) + "</span>";
  }
  return words + ".";
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
  const Axis x(std::max(low_x, 1e-3), high_x, true, kLeft, kWidth - kRight);
  const Axis y(std::max(low_y, 1.0), high_y, true, kHeight - kBottom, kTop);
  std::string svg = frame(x, y, "memory of idle pods, GB h", "slowdown, p99 of a function");
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
    const bool right = at_x > kWidth * 0.7 && one_start;
    points += format("<text class='name' x='%.1f' y='%.1f' text-anchor='%s'>",
                     right ? at_x - 9 : at_x + 9, at_y + 4, right ? "end" : "start") +
              escaped(one_start ? it.policy : it.cold_start) + "</text>";
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    svg += "<polyline class='line' stroke='" + colour(i) + "' points='" + lines[i] + "'/>";
  }
  return figure(svg + points, "Nearer to the lower left is better: less waiting for less memory" +
                                  (one_start ? std::string(".") : legend(names)));
}

std::string pods_over_time(const Comparison& comparison) {
  double hours = 0;
  double high = 0;
  for (const Outcome& it : comparison.outcomes) {
    hours = std::max(hours, std::chrono::duration<double>(it.duration).count() / 3600);
    for (const double pods : it.pods_over_time) high = std::max(high, pods);
  }
  const Axis x(0, hours, false, kLeft, kWidth - kRight);
  const Axis y(0, high, false, kHeight - kBottom, kTop);
  std::string svg = frame(x, y, "hours", "pods");
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
  return figure(svg, "In any state, with a cold start of " + escaped(start) + legend(names));
}

}  // namespace

std::string to_html(const Comparison& comparison) {
  std::string page = kHead;
  page += "</style>\n<h1>Policies compared</h1>\n<p>" + escaped(comparison.workload) + "<br>" +
          escaped(comparison.node) + "<br><code>" + escaped(comparison.command) + "</code></p>\n";
  if (!comparison.outcomes.empty()) {
    page += "<h2>Latency against memory</h2>\n" + latency_against_memory(comparison) +
            "<h2>Pods over time</h2>\n" + pods_over_time(comparison);
  }
  return page + "<h2>Figures</h2>\n<pre>" + escaped(to_text(comparison)) + "</pre>\n</html>\n";
}

}  // namespace subito::simulate
