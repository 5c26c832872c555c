// The products that stock keeps levels of: they come and go with those of the catalogue, whose
// events the node delivers to POST /events.
//
// An event may come more than once, late, and after another of the same product. What it does it
// does once: a product that has a level gets none anew, and one that is withdrawn stays so, since
// ids are never used again. The level is what tells, and not the id of the event, so that one that
// lay in the dead letters for a week does what it should when it is replayed.
#pragma once

#include <subito/function.h>

#include <cstdint>
#include <string>

namespace shop {

// False if it has a level already.
bool add_level(subito::Redis& redis, const std::string& product, const std::string& sku,
               std::int64_t pieces);

void add_products(subito::Router& router);

}  // namespace shop
