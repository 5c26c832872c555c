#include "functions/stock/products.h"

#include <algorithm>

#include "functions/catalogue/events.pb.h"
#include "functions/shop/event.h"
#include "functions/shop/lines.h"
#include "functions/shop/service.h"
#include "functions/stock/events.pb.h"
#include "functions/stock/reservations.h"
#include "functions/stock/scripts.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Redis;
using subito::Request;
using subito::Response;

// Lists are by number.
void check_product(const std::string& id) {
  const bool digits =
      std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_id(id) || !digits) throw HttpError(400, "bad-event", "\"product_id\" is no number");
}

void withdraw(Redis& redis, const std::string& product, const std::string& sku) {
  v1::ProductWithdrawn message;
  message.set_product_id(product);
  const Event event = event_of(message);
  redis.eval(scripts::kWithdraw,
             {redis.key("products"), level_key(redis, product), events_key(redis)},
             {product, sku, event.type, event.data});
}

Response hear(const Request& request, Context& context) {
  const auto type = request.header("ce-type");
  if (!type) throw HttpError(400, "bad-event", "an event has the header ce-type");
  if (*type == "shop.v1.ProductCreated") {
    const auto created = read_event<v1::ProductCreated>(request);
    check_product(created.product_id());
    add_level(context.redis("redis"), created.product_id(), created.sku(), 0);
  } else if (*type == "shop.v1.ProductDeleted") {
    const auto deleted = read_event<v1::ProductDeleted>(request);
    check_product(deleted.product_id());
    withdraw(context.redis("redis"), deleted.product_id(), deleted.sku());
  }
  return Response(204);  // others do not concern stock
}

}  // namespace

bool add_level(Redis& redis, const std::string& product, const std::string& sku,
               std::int64_t pieces) {
  v1::ProductStocked stocked;
  stocked.set_product_id(product);
  stocked.set_sku(sku);
  stocked.set_quantity(pieces);
  const Event event = event_of(stocked);
  return redis
             .eval(scripts::kAddIfMissing,
                   {redis.key("products"), level_key(redis, product), events_key(redis)},
                   {product, sku, std::to_string(pieces), event.type, event.data})
             .integer() == 1;
}

void add_products(subito::Router& router) {
  router.post("/events", guarded(hear));
}

}  // namespace shop
