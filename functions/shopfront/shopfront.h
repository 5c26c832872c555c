// shopfront: owns nothing. The page people see and the joined view of products and stock. Without
// stock it still answers, marked; without the catalogue it cannot.
#pragma once

#include <subito/function.h>

namespace shop {

// GET /, GET /products, POST /seed (of catalogue, stock, payment), GET /health...
subito::Router shopfront_router();

}  // namespace shop
