// shopfront: owns nothing. The page people see and the joined view of products and stock. Without
// stock it still answers, marked; without the catalogue it cannot.
#pragma once

#include <subito/function.h>

#include <string_view>

namespace shop {

// GET / [?q=&tag=&sort=&cursor=] and what it needs, /assets/...; GET /products with the catalogue's
// query; POST /seed (of catalogue, stock and payment); GET /health..., /openapi.json
subito::Router shopfront_router();

std::string_view shopfront_openapi();  // openapi.json

}  // namespace shop
