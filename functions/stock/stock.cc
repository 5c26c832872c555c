#include "functions/stock/stock.h"

#include <string>
#include <utility>
#include <vector>

#include "functions/shop/etag.h"
#include "functions/shop/event.h"
#include "functions/shop/json.h"
#include "functions/shop/lines.h"
#include "functions/shop/service.h"
#include "functions/stock/events.pb.h"
#include "functions/stock/products.h"
#include "functions/stock/reservations.h"
#include "functions/stock/scripts.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Redis;
using subito::RedisReply;
using subito::Request;
using subito::Response;

constexpr int kProductsMax = 1000;
// All pieces ever received of one product; far below 2^53, up to which Lua counts exactly.
constexpr const char* kPiecesMax = "1000000000000";
constexpr const char* kKeyKeptSeconds = "86400";

struct SeedLevel {
  const char* product;
  const char* sku;
  std::int64_t pieces;
};
constexpr SeedLevel kSeed[] = {{"1", "12345678", 5},
                               {"2", "34567890", 2},
                               {"3", "54326745", 999},
                               {"4", "93847614", 0},
                               {"5", "11856388", 1}};

std::vector<std::string> read_level(Redis& redis, const std::string& product) {
  return {"HMGET",    level_key(redis, product), "sku", "available", "reserved", "sold", "received",
          "withdrawn"};
}

// The first three members are the face of old; the rest is for the books.
void write_level(JsonWriter& out, const std::string& product, const RedisReply& level) {
  const auto number = [&](std::size_t i) { return std::stoll(std::string(level[i].text())); };
  out.open_object();
  out.key("productId").text(product).key("sku").text(level[0].text());
  out.key("amountAvailable").integer(number(1)).key("reserved").integer(number(2));
  out.key("sold").integer(number(3)).key("received").integer(number(4));
  if (!level[5].is_nil()) out.key("withdrawn").boolean(true);
  out.close_object();
}

Response list_levels(const Request& request, Context& context) {
  Redis& redis = context.redis("redis");
  const RedisReply ids =
      redis.command({"ZRANGE", redis.key("products"), "0", std::to_string(kProductsMax - 1)});
  std::vector<std::vector<std::string>> commands;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    commands.push_back(read_level(redis, std::string(ids[i].text())));
  }
  JsonWriter out;
  out.open_array();
  if (!commands.empty()) {
    const std::vector<RedisReply> levels = redis.pipeline(commands);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (levels[i].is_error()) throw subito::RedisError(std::string(levels[i].text()));
      if (levels[i][0].is_nil()) continue;
      write_level(out, std::string(ids[i].text()), levels[i]);
    }
  }
  return tagged(request, Response::json(out.close_array().take()));
}

Response answer_level(Redis& redis, const std::string& product) {
  const RedisReply level = redis.command(read_level(redis, product));
  if (level[0].is_nil()) throw unknown_product(product);
  JsonWriter out;
  write_level(out, product, level);
  return Response::json(out.take());
}

Response get_level(const Request& request, Context& context) {
  const std::string& product = request.param("productId");
  if (!is_id(product)) throw unknown_product(product);
  return tagged(request, answer_level(context.redis("redis"), product));
}

Response restock(const Request& request, Context& context) {
  const std::string& product = request.param("productId");
  if (!is_id(product)) throw unknown_product(product);
  const Json body = read_object(request);
  const auto quantity = read_quantity(member(body, "quantity"));
  if (!quantity) {
    throw HttpError(400, "bad-quantity", "\"quantity\" is a whole number from 1 to 1000000");
  }
  const auto key = optional_idempotency_key(request);
  v1::StockReceived received;
  received.set_product_id(product);
  received.set_quantity(*quantity);
  const Event event = event_of(received);
  Redis& redis = context.redis("redis");
  const std::string level = level_key(redis, product);
  const std::string record = key ? redis.key("restock:" + product + ":" + *key) : level;
  const RedisReply reply = redis.eval(
      scripts::kRestock, {level, events_key(redis), record},
      {std::to_string(*quantity), kPiecesMax, key ? kKeyKeptSeconds : "0", event.type, event.data});
  const std::string_view outcome = reply.text();
  if (outcome == "unknown") throw unknown_product(product);
  if (outcome == "withdrawn") throw withdrawn(product);
  if (outcome == "too-many") {
    throw HttpError(422, "too-many-pieces", "more than the books can hold");
  }
  if (outcome == "mismatch") {
    throw HttpError(422, "idempotency-key-reused", "this key was used for another quantity");
  }
  Response answer = answer_level(redis, product);
  if (outcome == "again") answer.header("idempotency-replayed", "true");
  return answer;
}

Response seed(const Request&, Context& context) {
  require_seed_setting(context);
  std::int64_t added = 0;
  for (const SeedLevel& level : kSeed) {
    added += add_level(context.redis("redis"), level.product, level.sku, level.pieces) ? 1 : 0;
  }
  JsonWriter out;
  return Response::json(out.open_object().key("added").integer(added).close_object().take());
}

}  // namespace

subito::Router stock_router() {
  subito::Router router;
  router.get("/stocks", guarded(list_levels));
  router.get("/stocks/{productId}", guarded(get_level));
  router.post("/stocks/{productId}/restock", guarded(restock));
  add_reservations(router);
  add_products(router);
  router.post("/seed", guarded(seed));
  add_health(router, check_redis);
  add_openapi(router, stock_openapi());
  return router;
}

}  // namespace shop
