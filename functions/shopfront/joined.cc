#include "functions/shopfront/joined.h"

#include <map>
#include <utility>

#include "functions/shop/money.h"

namespace shop {
namespace {

std::int64_t integer_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

std::optional<std::int64_t> available_of(const Json& level) {
  if (member(level, "withdrawn") == Json(true)) return 0;
  const Json& amount = member(level, "amountAvailable");
  if (!amount.is_number_integer()) return std::nullopt;
  return amount.get<std::int64_t>();
}

std::vector<std::string> texts_of(const Json& object, const char* name) {
  std::vector<std::string> texts;
  const Json& value = member(object, name);
  if (!value.is_array()) return texts;
  for (const Json& text : value) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

Offers join(const Json& products, const Json* levels) {
  std::map<std::string, const Json*> level_of;
  if (levels != nullptr) {
    for (const Json& level : *levels) level_of[text_of(level, "productId")] = &level;
  }
  Offers offers;
  offers.degraded = levels == nullptr;
  for (const Json& product : products) {
    Offer offer;
    offer.id = text_of(product, "id");
    offer.name = text_of(product, "name");
    offer.description = text_of(product, "description");
    offer.price_minor = integer_of(product, "priceMinor");
    if (const Json& sku = member(product, "sku"); sku.is_string()) offer.sku = sku;
    offer.tags = texts_of(product, "tags");
    if (const auto level = level_of.find(offer.id); level != level_of.end()) {
      if (!offer.sku) offer.sku = text_of(*level->second, "sku");
      offer.available = available_of(*level->second);
    } else if (!offers.degraded) {
      offer.available = 0;
    }
    offers.list.push_back(std::move(offer));
  }
  return offers;
}

std::string to_json(const Offers& offers) {
  JsonWriter out;
  out.open_array();
  for (const Offer& offer : offers.list) {
    out.open_object().key("id").text(offer.id).key("sku");
    offer.sku ? out.text(*offer.sku) : out.null();
    out.key("name").text(offer.name).key("description").text(offer.description);
    out.key("price").money(offer.price_minor).key("amountAvailable");
    offer.available ? out.integer(*offer.available) : out.null();
    if (offers.degraded) out.key("degraded").boolean(true);
    out.close_object();
  }
  return out.close_array().take();
}

}  // namespace shop
