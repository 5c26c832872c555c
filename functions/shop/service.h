// What every function of the shop answers besides its own: health, and problems that are not its
// fault.
#pragma once

#include <subito/function.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace shop {

// Redis or a called function that is away is 503 with Retry-After, not 500.
subito::Handler guarded(subito::Handler handler);

// Says what is missing by an exception.
using ReadyCheck = std::function<void(subito::Context&)>;

// GET /health/live: 200 whatever is away. GET /health/ready: 503 while `check` throws.
// GET /health: both.
void add_health(subito::Router& router, ReadyCheck check);

// GET /openapi.json: the function's OpenAPI 3.1 document. shop_function() builds openapi.json into
// its library as `std::string_view NAME_openapi()`.
void add_openapi(subito::Router& router, std::string_view document);

// PING on the binding "redis".
void check_redis(subito::Context& context);

// The header Idempotency-Key, if it is there. Throws HttpError 400 "bad-idempotency-key" when it is
// there twice and not the same: which one counts would be chance.
std::optional<std::string_view> idempotency_header(const subito::Request& request);

// 1 to 128 printable characters, without blanks.
bool is_idempotency_key(std::string_view key);

// What a client made up so that its repetition is known, or nothing if the header Idempotency-Key
// is not there. Throws HttpError 400 "bad-idempotency-key" for what is none.
std::optional<std::string> optional_idempotency_key(const subito::Request& request);

// Throws HttpError 404 unless the spec has the setting `seed: demo`: whether POST /seed is there.
void require_seed_setting(subito::Context& context);

}  // namespace shop
