// stock: owns the levels and the reservations; scripts.h tells how they are kept.
//
// A reservation belongs to an order and is made, committed and released by its id, each as often as
// one likes with the effect of once. All lines are reserved or none.
#pragma once

#include <subito/function.h>

namespace shop {

// GET /stocks, GET /stocks/{productId}, POST /stocks/{productId}/restock {quantity},
// POST /reservations {order, lines}, GET /reservations/{order},
// POST /reservations/{order}/commit and /release, POST /seed, GET /health...
subito::Router stock_router();

}  // namespace shop
