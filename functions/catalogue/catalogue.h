// catalogue: owns the products and nothing else does. Keeps them in its own corner of Redis:
//
//   catalogue:products       sorted set of ids, by their number: the order of every list
//   catalogue:product:<id>   hash: name, description, price_minor
#pragma once

#include <subito/function.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "functions/shop/json.h"

namespace shop {

struct Product {
  std::string id;
  std::string name;
  std::string description;
  std::int64_t price_minor = 0;
};

// {id, name, description, price, priceMinor, currency}: the price as the decimal number of old, and
// as the integer that programs should use.
void write_product(JsonWriter& out, const Product& product);

// GET /products [?ids=1,3], GET /products/{id}, POST /seed, GET /health...
subito::Router catalogue_router();
std::string_view catalogue_openapi();  // openapi.json

}  // namespace shop
