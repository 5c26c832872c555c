// Pictures as plain SVG in one HTML page that needs nothing else; colours follow the reader's light
// or dark, and paper is white. Pure.
#pragma once

#include <string>
#include <vector>

namespace subito::bench {

// What `<`, `&` and quotes would break is written as references.
std::string escaped(const std::string& text);

// The page up to its first heading. `style`: CSS beside that of all pages.
std::string page_head(const std::string& title, const std::string& style = {});

// A picture's size and what stays free of it at its edges, in its own units.
struct Paper {
  double width = 0;
  double height = 0;
  double left = 0;
  double right = 0;
  double top = 0;
  double bottom = 0;
};

// From values to places on the paper, linear or by powers of ten.
class Axis {
 public:
  Axis(double low, double high, bool logarithmic, double from, double to);

  double at(double value) const;
  std::vector<double> ticks() const;  // in ascending order

 private:
  bool log_;
  double from_, to_;
  double low_ = 0, high_ = 1;  // exponents of ten where it is logarithmic
};

// Lines and numbers of both axes, and what they are.
std::string frame(const Paper& paper, const Axis& x, const Axis& y, const std::string& x_name,
                  const std::string& y_name);
// The same of x alone.
std::string frame_x(const Paper& paper, const Axis& x, const std::string& x_name);

// `caption`: HTML.
std::string picture(const Paper& paper, const std::string& svg, const std::string& name,
                    const std::string& caption);

// The same for the same number; every sixth is alike.
std::string colour(std::size_t series);
// "a, b", each name in its colour, escaped.
std::string coloured(const std::vector<std::string>& names);

}  // namespace subito::bench
