#include "functions/checkout/checkout.h"

#include <algorithm>

#include "functions/checkout/redis_order_store.h"
#include "functions/checkout/saga.h"
#include "functions/shop/service.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Request;
using subito::Response;

constexpr std::size_t kKeyBytesMax = 128;

Response place_order(const Request& request, Context& context) {
  const std::string key = idempotency_key(request);
  const Lines lines = read_lines(read_object(request));
  RedisOrderStore store(context.redis("redis"));
  return Saga(key, context, store).place(lines);
}

Response get_order(const Request& request, Context& context) {
  const std::string& id = request.param("id");
  std::optional<Order> order;
  if (is_id(id)) order = RedisOrderStore(context.redis("redis")).find(id);
  if (!order) throw HttpError(404, "unknown-order", "there is no order " + id);
  return Response::json(to_json(*order));
}

}  // namespace

std::string idempotency_key(const Request& request) {
  const std::string key(request.header("idempotency-key").value_or(""));
  const bool good = !key.empty() && key.size() <= kKeyBytesMax &&
                    std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
  if (good) return key;
  throw HttpError(400, "idempotency-key-missing",
                  "an order needs the header Idempotency-Key: 1 to 128 characters of your choice, "
                  "the same when you ask again");
}

subito::Router checkout_router() {
  subito::Router router;
  router.post("/orders", guarded(place_order));
  router.get("/orders/{id}", guarded(get_order));
  add_health(router, check_redis);
  return router;
}

}  // namespace shop
