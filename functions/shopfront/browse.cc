#include "functions/shopfront/browse.h"

#include <algorithm>

namespace shop {
namespace {

// RFC 3986: what stands for itself in a query.
bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

// Not in the middle of a character: bytes 10xxxxxx go on with one.
std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string known_sort(const std::string& text) {
  const bool known = std::any_of(std::begin(kSorts), std::end(kSorts),
                                 [&](const Sort& sort) { return sort.value == text; });
  return known ? text : "";
}

class Query {
 public:
  void add(std::string_view name, const std::string& value) {
    if (value.empty()) return;
    text_.append(text_.empty() ? "?" : "&").append(name).append("=").append(percent_encoded(value));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_all(Query& query, const Browse& browse) {
  query.add("q", browse.search);
  query.add("tag", browse.tag);
  query.add("sort", browse.sort);
  query.add("cursor", browse.cursor);
}

}  // namespace

Browse browse_of(const subito::Request& request) {
  Browse browse;
  browse.search = cut(request.query("q").value_or(""), kSearchBytesMax);
  browse.tag = cut(request.query("tag").value_or(""), kSearchBytesMax);
  browse.sort = known_sort(request.query("sort").value_or(""));
  browse.cursor = request.query("cursor").value_or("");
  return browse;
}

std::string catalogue_target(const Browse& browse) {
  Query query;
  query.add("limit", std::to_string(kPageProductsMax));
  add_all(query, browse);
  return "/products" + query.text();
}

std::string page_target(const Browse& browse) {
  Query query;
  add_all(query, browse);
  return "/" + query.text();
}

std::string next_cursor(std::string_view link) {
  const std::size_t close = link.find('>');
  if (!link.starts_with('<') || close == link.npos) return {};
  if (link.find("rel=\"next\"", close) == link.npos) return {};
  std::string target(link.substr(1, close - 1));
  if (target.starts_with('?')) target.insert(0, "/products");  // counts from what was asked
  if (!target.starts_with('/')) return {};
  try {
    return subito::Request("GET", target).query("cursor").value_or("");
  } catch (const std::invalid_argument&) {
    return {};
  }
}

}  // namespace shop
