// checkout: owns the orders. Places an order once, however often it is asked with the same
// Idempotency-Key (saga.h), and tells how it stands.
#pragma once

#include <subito/function.h>

#include <string>

namespace shop {

// POST /orders {lines: [{productId, quantity}]} with an Idempotency-Key, GET /orders/{id},
// GET /health...
subito::Router checkout_router();

// 1 to 128 printable characters. Throws HttpError 400.
std::string idempotency_key(const subito::Request& request);

}  // namespace shop
