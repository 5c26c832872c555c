// catalogue: owns the products and nothing else does (store.h tells how they are kept). A list is
// the original's face, an array; search.h finds, sorts and cuts it. A product is changed and
// deleted by whoever names the version that he saw (If-Match).
#pragma once

#include <subito/function.h>

#include <string_view>

namespace shop {

// GET /products [?ids=1,3] [?q=&tag=&sort=&limit=&cursor=], POST /products, GET, PUT and DELETE
// /products/{id}, POST /seed, GET /health...
subito::Router catalogue_router();
std::string_view catalogue_openapi();  // openapi.json

}  // namespace shop
