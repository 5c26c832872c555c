// The reservations of stock: pieces put aside for an order until it is committed or released, or
// until nobody did so in time.
#pragma once

#include <subito/function.h>

#include <string>

namespace shop {

std::string level_key(subito::Redis& redis, const std::string& product);
subito::HttpError unknown_product(const std::string& product);
subito::HttpError withdrawn(const std::string& product);

void add_reservations(subito::Router& router);

}  // namespace shop
