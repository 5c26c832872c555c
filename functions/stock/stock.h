// stock: owns the levels and the reservations; scripts.h tells how they are kept.
//
// A reservation belongs to an order and is made, committed and released by its id, each as often as
// one likes with the effect of once. All lines are reserved or none. One that is not ended in time
// expires: the node delivers it to POST /due.
#pragma once

#include <subito/function.h>

#include <string_view>

namespace shop {

// GET /stocks, GET /stocks/{productId}, POST /stocks/{productId}/restock {quantity},
// POST /reservations {order, lines, expiresInMs?}, GET /reservations/{order},
// POST /reservations/{order}/commit and /release, POST /seed, GET /health...; from the node
// POST /due (what expires) and POST /events (of catalogue). openapi.json tells them all.
subito::Router stock_router();
std::string_view stock_openapi();

}  // namespace shop
