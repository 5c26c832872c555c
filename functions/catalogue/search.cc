#include "functions/catalogue/search.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "functions/shop/lines.h"

namespace shop {
namespace {

using subito::HttpError;
using subito::Request;

constexpr std::size_t kTextBytesMax = 100;
constexpr std::pair<SortBy, std::string_view> kSorts[] = {
    {SortBy::kId, "id"}, {SortBy::kName, "name"}, {SortBy::kPrice, "price"}};
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string sort_text(const Search& search) {
  const auto* const found = std::find_if(std::begin(kSorts), std::end(kSorts),
                                         [&](const auto& it) { return it.first == search.sort; });
  return (search.descending ? "-" : "") + std::string(found->second);
}

void read_sort(std::string_view text, Search& search) {
  search.descending = text.starts_with('-');
  if (search.descending) text.remove_prefix(1);
  for (const auto& [sort, name] : kSorts) {
    if (text != name) continue;
    search.sort = sort;
    return;
  }
  throw HttpError(400, "bad-sort", "\"sort\" is id, name or price, with '-' before it to turn it");
}

std::size_t read_limit(std::string_view text) {
  const auto limit = number_of<std::int64_t>(text);
  if (limit && *limit >= 1 && *limit <= static_cast<std::int64_t>(kPageMax)) {
    return static_cast<std::size_t>(*limit);
  }
  throw HttpError(400, "bad-limit", "\"limit\" is a whole number from 1 to 100");
}

Place place_of(const Product& product) {
  return {lower(product.name), product.price_minor, product.id};
}

// Ids are numbers, but in data from elsewhere: a shorter one is a smaller one.
bool id_before(const std::string& a, const std::string& b) {
  return std::make_tuple(a.size(), std::string_view(a)) <
         std::make_tuple(b.size(), std::string_view(b));
}

bool before(const Place& a, const Place& b, SortBy sort) {
  if (sort == SortBy::kName && a.name != b.name) return a.name < b.name;
  if (sort == SortBy::kPrice && a.price_minor != b.price_minor) {
    return a.price_minor < b.price_minor;
  }
  return id_before(a.id, b.id);
}

bool before(const Place& a, const Place& b, const Search& search) {
  return search.descending ? before(b, a, search.sort) : before(a, b, search.sort);
}

// "sort, line, id, line, price, line, name" as hexadecimal digits: opaque, and needs no encoding.
std::string cursor_of(const Place& place, const Search& search) {
  const std::string text = sort_text(search) + "\n" + place.id + "\n" +
                           std::to_string(place.price_minor) + "\n" + place.name;
  std::string cursor;
  for (const char c : text) {
    cursor += kHexDigits[static_cast<unsigned char>(c) >> 4];
    cursor += kHexDigits[static_cast<unsigned char>(c) & 15];
  }
  return cursor;
}

std::string text_of_hex(std::string_view digits) {
  std::string text;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const std::size_t high = kHexDigits.find(digits[i]);
    const std::size_t low = kHexDigits.find(digits[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return "";
    text += static_cast<char>(high * 16 + low);
  }
  return text;
}

Place read_cursor(std::string_view cursor, const Search& search) {
  const std::string text = text_of_hex(cursor);
  std::string_view rest = text;
  std::string_view parts[3];
  for (std::string_view& part : parts) {
    const std::size_t line = std::min(rest.find('\n'), rest.size());
    part = rest.substr(0, line);
    rest.remove_prefix(std::min(line + 1, rest.size()));
  }
  const auto price = number_of<std::int64_t>(parts[2]);
  if (parts[0] == sort_text(search) && is_id(parts[1]) && price) {
    return {std::string(rest), *price, std::string(parts[1])};
  }
  throw HttpError(400, "bad-cursor",
                  "\"cursor\" is one that the header Link gave for the same \"sort\"");
}

bool matches(const Product& product, const Search& search) {
  if (search.tag &&
      std::find(product.tags.begin(), product.tags.end(), *search.tag) == product.tags.end()) {
    return false;
  }
  if (!search.text) return true;
  return lower(product.name).find(*search.text) != std::string::npos ||
         lower(product.description).find(*search.text) != std::string::npos;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_id(std::string_view(&c, 1))) {
      out += c;
    } else {
      out += {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

Search read_search(const Request& request) {
  Search search;
  if (const auto text = request.query("q")) {
    if (text->size() > kTextBytesMax) {
      throw HttpError(400, "bad-query", "\"q\" is at most 100 bytes");
    }
    search.text = lower(*text);
  }
  search.tag = request.query("tag");
  if (search.tag && !is_id(*search.tag)) {
    throw HttpError(400, "bad-tag", "\"tag\" is 1 to 40 letters, digits, '-' and '_'");
  }
  if (const auto sort = request.query("sort")) read_sort(*sort, search);
  if (const auto limit = request.query("limit")) search.limit = read_limit(*limit);
  if (const auto cursor = request.query("cursor")) {
    search.after = read_cursor(*cursor, search);
    if (!search.limit) search.limit = kPageDefault;
  }
  return search;
}

Page find_page(std::vector<Product> products, const Search& search) {
  std::vector<std::pair<Place, Product>> found;
  for (Product& product : products) {
    if (!matches(product, search)) continue;
    Place place = place_of(product);
    if (search.after && !before(*search.after, place, search)) continue;
    found.emplace_back(std::move(place), std::move(product));
  }
  std::sort(found.begin(), found.end(),
            [&](const auto& a, const auto& b) { return before(a.first, b.first, search); });
  Page page;
  page.more = search.limit && found.size() > *search.limit;
  if (page.more) found.resize(*search.limit);
  for (auto& item : found) page.products.push_back(std::move(item.second));
  return page;
}

std::string link_to_next(const Page& page, const Search& search) {
  std::string query;
  if (search.text) query += "q=" + percent_encoded(*search.text) + "&";
  if (search.tag) query += "tag=" + percent_encoded(*search.tag) + "&";
  query += "sort=" + sort_text(search);
  query += "&limit=" + std::to_string(*search.limit);
  query += "&cursor=" + cursor_of(place_of(page.products.back()), search);
  return "</products?" + query + ">; rel=\"next\"";
}

}  // namespace shop
