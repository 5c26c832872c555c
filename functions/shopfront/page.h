// The page that people see, as HTML made of the templates in page/. Pure.
#pragma once

#include <optional>
#include <string>

#include "functions/shopfront/browse.h"
#include "functions/shopfront/joined.h"

namespace shop {

struct PageView {
  Offers offers;
  Browse browse;
  std::string next_cursor;      // "" on the last page
  bool catalogue_away = false;  // there are no offers to show: the page says so
};

// Texts are escaped. It needs no script to be read; what needs script is hidden until it runs.
std::string to_html(const PageView& view);

}  // namespace shop
