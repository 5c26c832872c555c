// The joined view of products and stock. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "functions/shop/json.h"

namespace shop {

struct Offer {
  std::string id;
  std::optional<std::string> sku;
  std::string name;
  std::string description;
  std::int64_t price_minor = 0;
  std::optional<std::int64_t> available;  // nothing: not known
  std::vector<std::string> tags;
};

struct Offers {
  std::vector<Offer> list;  // in the order of the catalogue
  bool degraded = false;    // stock did not answer
};

// `products` as catalogue answers them; `levels` as stock does, or null when it did not. A product
// that stock does not know, or no longer sells, has none available.
Offers join(const Json& products, const Json* levels);

// [{id, sku, name, description, price, amountAvailable}], and degraded: true where it is.
std::string to_json(const Offers& offers);

}  // namespace shop
