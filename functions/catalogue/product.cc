#include "functions/catalogue/product.h"

#include <algorithm>

#include "functions/catalogue/events.pb.h"
#include "functions/shop/lines.h"
#include "functions/shop/money.h"

namespace shop {
namespace {

using subito::HttpError;

[[noreturn]] void bad_member(const char* name, const std::string& what) {
  throw HttpError(400, "bad-product", "\"" + std::string(name) + "\" is " + what);
}

[[noreturn]] void invalid_member(const char* name, const std::string& what) {
  throw HttpError(422, "invalid-product", "\"" + std::string(name) + "\" is " + what);
}

// Characters that turn the direction of what is around them, or break a line: those of U+2028 to
// U+202E and U+2066 to U+2069, in UTF-8.
bool turns_or_breaks(std::string_view text) {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] != '\xe2') continue;
    const auto last = static_cast<unsigned char>(text[i + 2]);
    if (text[i + 1] == '\x80' && last >= 0xa8 && last <= 0xae) return true;
    if (text[i + 1] == '\x81' && last >= 0xa6 && last <= 0xa9) return true;
  }
  return false;
}

std::string read_text(const Json& body, const char* name, std::size_t least, std::size_t most) {
  const Json& value = member(body, name);
  if (value.is_null() && least == 0) return "";
  if (!value.is_string()) bad_member(name, "a text");
  std::string text = value.get<std::string>();
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
  if (text.size() < least || text.size() > most || control || turns_or_breaks(text)) {
    invalid_member(name, std::to_string(least) + " to " + std::to_string(most) +
                             " bytes of UTF-8 without control characters");
  }
  if (least > 0 && text.find_first_not_of(' ') == text.npos) invalid_member(name, "not blank");
  return text;
}

std::vector<std::string> read_tags(const Json& body) {
  const Json& given = member(body, "tags");
  if (given.is_null()) return {};
  if (!given.is_array()) bad_member("tags", "an array of texts");
  if (given.size() > kTagsMax) invalid_member("tags", "at most 10");
  std::vector<std::string> tags;
  for (const Json& tag : given) {
    if (!tag.is_string()) bad_member("tags", "an array of texts");
    tags.push_back(tag.get<std::string>());
    if (!is_id(tags.back())) {
      invalid_member("tags", "each 1 to 40 letters, digits, '-' and '_'");
    }
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

template <typename Message>
Event event_with_all(const Product& product) {
  Message message;
  message.set_product_id(product.id);
  message.set_sku(product.sku);
  message.set_name(product.name);
  message.set_description(product.description);
  message.set_price_minor(product.price_minor);
  message.set_currency(kCurrency);
  for (const std::string& tag : product.tags) message.add_tags(tag);
  message.set_version(product.version);
  return event_of(message);
}

}  // namespace

Product read_product(const Json& body) {
  Product product;
  product.sku = read_text(body, "sku", 1, kIdBytesMax);
  if (!is_id(product.sku)) invalid_member("sku", "1 to 40 letters, digits, '-' and '_'");
  product.name = read_text(body, "name", 1, kNameBytesMax);
  product.description = read_text(body, "description", 0, kDescriptionBytesMax);
  const Json& price = member(body, "priceMinor");
  if (!price.is_number_integer()) bad_member("priceMinor", "a whole number of minor units");
  // What is too large for 64 bits with a sign comes out negative.
  product.price_minor = price.get<std::int64_t>();
  if (product.price_minor < 1 || product.price_minor > kPriceMinorMax) {
    invalid_member("priceMinor", "from 1 to 1000000000000");
  }
  product.tags = read_tags(body);
  return product;
}

void write_product(JsonWriter& out, const Product& product) {
  out.open_object();
  out.key("id").text(product.id).key("sku").text(product.sku);
  out.key("name").text(product.name);
  out.key("description").text(product.description);
  out.key("price").money(product.price_minor);
  out.key("priceMinor").integer(product.price_minor);
  out.key("currency").text(kCurrency);
  out.key("tags").open_array();
  for (const std::string& tag : product.tags) out.text(tag);
  out.close_array().key("version").integer(product.version);
  out.close_object();
}

std::string to_text(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += (text.empty() ? "" : ",") + tag;
  return text;
}

std::vector<std::string> tags_of_text(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    tags.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return tags;
}

Event created_event(const Product& product) {
  return event_with_all<v1::ProductCreated>(product);
}

Event changed_event(const Product& product) {
  return event_with_all<v1::ProductChanged>(product);
}

Event deleted_event(const Product& product) {
  v1::ProductDeleted message;
  message.set_product_id(product.id);
  message.set_sku(product.sku);
  message.set_version(product.version);
  return event_of(message);
}

}  // namespace shop
