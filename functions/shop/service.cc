#include "functions/shop/service.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace shop {
namespace {

using subito::Context;
using subito::Request;
using subito::Response;

constexpr std::size_t kIdempotencyKeyBytesMax = 128;

// What is wrong inside is for the log: a client learns what it can do.
Response unavailable(Context& context, const char* type, const char* detail,
                     const std::string& reason) {
  context.log().warning("unavailable", {{"type", type}, {"reason", reason}});
  return Response::problem(503, type, detail).header("retry-after", "1");
}

std::optional<std::string> reason_not_ready(const ReadyCheck& check, Context& context) {
  try {
    check(context);
    return std::nullopt;
  } catch (const subito::Cancelled&) {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

subito::Handler guarded(subito::Handler handler) {
  return [handler = std::move(handler)](const Request& request, Context& context) {
    try {
      return handler(request, context);
    } catch (const subito::RedisError& error) {
      return unavailable(context, "storage-unavailable", "the storage does not answer: try again",
                         error.what());
    } catch (const subito::CallError& error) {
      return unavailable(context, "call-failed",
                         "another part of the shop does not answer: try again", error.what());
    }
  };
}

void add_health(subito::Router& router, ReadyCheck check) {
  router.get("/health/live",
             [](const Request&, Context&) { return Response::json("{\"live\":true}\n"); });
  router.get("/health/ready", [check](const Request&, Context& context) {
    if (const auto reason = reason_not_ready(check, context)) {
      return unavailable(context, "not-ready", "what it needs does not answer, see its log",
                         *reason);
    }
    return Response::json("{\"ready\":true}\n");
  });
  router.get("/health", [check](const Request&, Context& context) {
    if (const auto reason = reason_not_ready(check, context)) {
      return unavailable(context, "not-ready",
                         "live, but what it needs does not answer, see its log", *reason);
    }
    return Response::json("{\"live\":true,\"ready\":true}\n");
  });
}

void add_openapi(subito::Router& router, std::string_view document) {
  router.get("/openapi.json", [document](const Request&, Context&) {
    return Response::json(std::string(document));
  });
}

void check_redis(Context& context) {
  context.redis("redis").command({"PING"});
}

std::optional<std::string_view> idempotency_header(const Request& request) {
  std::optional<std::string_view> key;
  for (const auto& [name, value] : request.headers().fields()) {
    if (name != "idempotency-key") continue;
    if (key && *key != value) {
      throw subito::HttpError(400, "bad-idempotency-key",
                              "there are two different Idempotency-Keys: send one");
    }
    key = value;
  }
  return key;
}

bool is_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= kIdempotencyKeyBytesMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
}

std::optional<std::string> optional_idempotency_key(const Request& request) {
  const auto key = idempotency_header(request);
  if (!key) return std::nullopt;
  if (is_idempotency_key(*key)) return std::string(*key);
  throw subito::HttpError(400, "bad-idempotency-key",
                          "an Idempotency-Key is 1 to 128 printable characters of your choice");
}

void require_seed_setting(Context& context) {
  if (context.setting("seed") == "demo") return;
  throw subito::HttpError(404, "not-found", "there is no seed: the setting \"seed\" is not demo");
}

}  // namespace shop
