// Browse: what somebody looks for in the catalogue, as the address of the page says it. Pure.
#pragma once

#include <subito/function.h>

#include <string>
#include <string_view>

namespace shop {

constexpr int kPageProductsMax = 48;  // of one page; a link leads to the next
constexpr std::size_t kSearchBytesMax = 100;

struct Browse {
  std::string search;  // "" is all
  std::string tag;     // "" is any
  std::string sort;    // one of kSorts
  std::string cursor;  // of the catalogue; "" is the beginning
  friend bool operator==(const Browse&, const Browse&) = default;
};

// A value of ?sort= and what people call it. The first, "", is the catalogue's own order.
struct Sort {
  std::string_view value;
  std::string_view words;
};
constexpr Sort kSorts[] = {{"", "As on the shelf"},
                           {"name", "Name, A to Z"},
                           {"price", "Price, low to high"},
                           {"-price", "Price, high to low"}};

// Of ?q=&tag=&sort=&cursor=. A search that is too long is cut, a sort that is none is the first:
// an old link still shows products.
Browse browse_of(const subito::Request& request);

// The catalogue's answer to it: "/products?limit=48&q=...".
std::string catalogue_target(const Browse& browse);
// The page's own address of it: "/?q=...".
std::string page_target(const Browse& browse);

// The cursor of the next page in an answer's Link (RFC 8288): the parameter "cursor" of the target
// with rel="next"; "" when there is none.
std::string next_cursor(std::string_view link);

}  // namespace shop
