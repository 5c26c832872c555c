// Product, and what of it comes in and goes out. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "functions/shop/event.h"
#include "functions/shop/json.h"

namespace shop {

constexpr std::size_t kNameBytesMax = 100;
constexpr std::size_t kDescriptionBytesMax = 1000;
constexpr std::size_t kTagsMax = 10;
constexpr std::int64_t kPriceMinorMax = 1'000'000'000'000;

struct Product {
  std::string id;
  std::string name;
  std::string description;
  std::int64_t price_minor = 0;
  std::string sku;                // names one product and never changes
  std::vector<std::string> tags;  // each once, in order
  std::int64_t version = 1;       // one more with every change
  friend bool operator==(const Product&, const Product&) = default;
};

// {sku, name, description?, priceMinor, tags?}, without id and version. Other members are ignored,
// so that what was read can be sent back; `price` is one of them. Throws HttpError that names the
// member: 400 "bad-product" for what is missing or of another kind, 422 "invalid-product" for what
// is too long, too large or has other characters.
Product read_product(const Json& body);

// {id, sku, name, description, price, priceMinor, currency, tags, version}: the price as the
// decimal number of old, and as the integer that programs should use.
void write_product(JsonWriter& out, const Product& product);

// "heavy,tools" and back.
std::string to_text(const std::vector<std::string>& tags);
std::vector<std::string> tags_of_text(std::string_view text);

Event created_event(const Product& product);
Event changed_event(const Product& product);
// `version` of the product is the one it would have next.
Event deleted_event(const Product& product);

}  // namespace shop
