// checkout: owns the orders. Places an order once, however often it is asked with the same
// Idempotency-Key (saga.h), tells how it stands, and lists a customer's orders (history.h).
#pragma once

#include <subito/function.h>

#include <string>
#include <string_view>

#include "functions/checkout/saga.h"

namespace shop {

// POST /orders {customer?, lines: [{productId, quantity}], expectedTotalMinor?} with an
// Idempotency-Key, and perhaps Prefer: respond-async; GET /orders/{id}; GET
// /customers/{customer}/orders?limit=&cursor=; GET /openapi.json, GET /health... Of the node's
// triggers: POST /due, POST /events. With the setting `maintenance: allow` POST /history/rebuild.
subito::Router checkout_router();
std::string_view checkout_openapi();  // openapi.json

// What POST /orders asks for. Throws HttpError 400 or 413.
Wish read_wish(const subito::Request& request);

// 1 to 128 printable characters. Throws HttpError 400.
std::string idempotency_key(const subito::Request& request);

// Whether a Prefer header says respond-async (RFC 7240).
bool prefers_async(const subito::Request& request);

}  // namespace shop
