// What every function of the shop answers besides its own: health, and problems that are not its
// fault.
#pragma once

#include <subito/function.h>

#include <functional>
#include <string>

namespace shop {

// Redis or a called function that is away is 503 with Retry-After, not 500.
subito::Handler guarded(subito::Handler handler);

// Says what is missing by an exception.
using ReadyCheck = std::function<void(subito::Context&)>;

// GET /health/live: 200 whatever is away. GET /health/ready: 503 while `check` throws.
// GET /health: both.
void add_health(subito::Router& router, ReadyCheck check);

// PING on the binding "redis".
void check_redis(subito::Context& context);

// Throws HttpError 404 unless the spec has the setting `seed: demo`: whether POST /seed is there.
void require_seed_setting(subito::Context& context);

}  // namespace shop
