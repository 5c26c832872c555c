// Search, order and pages of a list of products. Pure: the catalogue is small enough
// (kProductsMax) to be read whole and looked through here, which needs no index that could be
// wrong.
//
// A page is cut by a cursor: what the order is about of the last product that was given, and its
// id. So whoever walks the pages meets every product that was there from the beginning once,
// however many come and go meanwhile; one whose name or price changes may move past the walker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "functions/catalogue/product.h"

namespace shop {

constexpr std::size_t kProductsMax = 1000;
constexpr std::size_t kPageMax = 100;
constexpr std::size_t kPageDefault = 20;  // with a cursor and no limit

enum class SortBy { kId, kName, kPrice };

// What of a product its place in a list depends on; equal ones are in the order of their ids.
struct Place {
  std::string name;  // in lower case; for kName
  std::int64_t price_minor = 0;
  std::string id;
};

struct Search {
  std::optional<std::string> text;  // part of the name or description, whatever the case (ASCII)
  std::optional<std::string> tag;
  SortBy sort = SortBy::kId;
  bool descending = false;
  std::optional<std::size_t> limit;  // none: all
  std::optional<Place> after;
};

// Of ?q=&tag=&sort=&limit=&cursor=. Throws HttpError 400: "bad-query", "bad-tag", "bad-sort",
// "bad-limit", "bad-cursor".
Search read_search(const subito::Request& request);

struct Page {
  std::vector<Product> products;
  bool more = false;  // there are others behind
};

Page find_page(std::vector<Product> products, const Search& search);

// The value of the header Link (RFC 8288) that leads from `page` to the next one, as a path of the
// function's own. Only where there is more.
std::string link_to_next(const Page& page, const Search& search);

}  // namespace shop
