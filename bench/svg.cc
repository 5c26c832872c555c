#include "bench/svg.h"

#include <algorithm>
#include <cmath>

#include "bench/figures.h"

namespace subito::bench {

namespace {

constexpr double kLeastLogged = 1e-9;
constexpr double kDecadesWithParts = 2.5;  // up to so many, 2 and 5 times a power have a line too

constexpr char kStyle[] = R"html(
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #59636e; --line: #d0d7de; --page: #fff;
  --s0: #0969da; --s1: #bc4c00; --s2: #1a7f37; --s3: #8250df; --s4: #cf222e; --s5: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --line: #30363d;
  --page: #0d1117; --s0: #58a6ff; --s1: #f0883e; --s2: #3fb950; --s3: #bc8cff; --s4: #ff7b72;
  --s5: #d29922; } }
@media print { :root { color-scheme: light; --ink: #000; --faint: #444; --line: #ccc; --page: #fff;
  --s0: #0969da; --s1: #bc4c00; --s2: #1a7f37; --s3: #8250df; --s4: #cf222e; --s5: #9a6700; }
  figure { break-inside: avoid; } h2, h3 { break-after: avoid; } }
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

std::string vertical(const Paper& paper, double x) {
  return format("<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", x, x, paper.top,
                paper.height - paper.bottom);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '<'    ? "&lt;"
           : c == '&'  ? "&amp;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : std::string(1, c);
  }
  return out;
}

std::string page_head(const std::string& title, const std::string& style) {
  return "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
         escaped(title) + "</title>\n<style>" + kStyle + style + "</style>\n";
}

Axis::Axis(double low, double high, bool logarithmic, double from, double to)
    : log_(logarithmic), from_(from), to_(to) {
  low_ = log_ ? std::floor(std::log10(std::max(low, kLeastLogged))) : low;
  high_ = log_ ? std::ceil(std::log10(std::max(high, kLeastLogged))) : high;
  if (high_ <= low_) high_ = low_ + 1;
}

double Axis::at(double value) const {
  const double shown = log_ ? std::log10(std::max(value, kLeastLogged)) : value;
  return from_ + (shown - low_) / (high_ - low_) * (to_ - from_);
}

std::vector<double> Axis::ticks() const {
  std::vector<double> out;
  if (log_) {
    const bool parts = high_ - low_ <= kDecadesWithParts;
    for (double at = low_; at <= high_; ++at) {
      out.push_back(std::pow(10, at));
      if (parts && at < high_) {
        for (const double times : {2.0, 5.0}) out.push_back(times * std::pow(10, at));
      }
    }
    return out;
  }
  double step = std::pow(10, std::floor(std::log10((high_ - low_) / 4)));
  while ((high_ - low_) / step > 8) step *= 2;
  for (double at = std::ceil(low_ / step) * step; at <= high_; at += step) out.push_back(at);
  return out;
}

std::string frame_x(const Paper& paper, const Axis& x, const std::string& x_name) {
  std::string svg;
  for (const double tick : x.ticks()) {
    svg += vertical(paper, x.at(tick));
    svg += format("<text x='%.1f' y='%.1f' text-anchor='middle'>%.4g</text>", x.at(tick),
                  paper.height - paper.bottom + 16, tick);
  }
  return svg +
         format("<text x='%.1f' y='%.1f' text-anchor='end'>", paper.width - paper.right,
                paper.height - 8) +
         escaped(x_name) + "</text>";
}

std::string frame(const Paper& paper, const Axis& x, const Axis& y, const std::string& x_name,
                  const std::string& y_name) {
  std::string svg = frame_x(paper, x, x_name);
  for (const double tick : y.ticks()) {
    svg += format("<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", paper.left,
                  paper.width - paper.right, y.at(tick), y.at(tick));
    svg += format("<text x='%.1f' y='%.1f' text-anchor='end'>%.4g</text>", paper.left - 8,
                  y.at(tick) + 4, tick);
  }
  return svg + format("<text x='%.1f' y='%.1f'>", paper.left + 6, paper.top + 10) +
         escaped(y_name) + "</text>";
}

std::string picture(const Paper& paper, const std::string& svg, const std::string& name,
                    const std::string& caption) {
  return format("<figure><svg viewBox='0 0 %g %g' role='img' aria-label='", paper.width,
                paper.height) +
         escaped(name) + "'>" + svg + "</svg><figcaption>" + caption + "</figcaption></figure>\n";
}

std::string colour(std::size_t series) {
  return format("var(--s%zu)", series % 6);
}

std::string coloured(const std::vector<std::string>& names) {
  std::string words;
  for (std::size_t i = 0; i < names.size(); ++i) {
    words += (i == 0 ? "" : ", ") + ("<span style='color:" + colour(i) + "'>") + escaped(names[i]) +
             "</span>";
  }
  return words;
}

}  // namespace subito::bench
