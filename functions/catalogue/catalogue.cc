#include "functions/catalogue/catalogue.h"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "functions/catalogue/seed.h"
#include "functions/shop/lines.h"
#include "functions/shop/money.h"
#include "functions/shop/service.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Redis;
using subito::RedisReply;
using subito::Request;
using subito::Response;

// The catalogue is answered whole; paging is for one that outgrows this.
constexpr int kProductsMax = 1000;

// KEYS: products, product. ARGV: rank, id, then fields and values.
constexpr const char* kAddIfMissing = R"(
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
return 1
)";

std::string product_key(Redis& redis, const std::string& id) {
  return redis.key("product:" + id);
}

std::optional<Product> product_of(const std::string& id, const RedisReply& fields) {
  if (fields.is_error()) throw subito::RedisError(std::string(fields.text()));
  if (fields.size() != 3 || fields[0].is_nil()) return std::nullopt;
  Product product{id, std::string(fields[0].text()), std::string(fields[1].text()), 0};
  const std::string_view price = fields[2].text();
  std::from_chars(price.data(), price.data() + price.size(), product.price_minor);
  return product;
}

// In one round trip. Ids that are not there are left out.
std::vector<Product> load(Redis& redis, const std::vector<std::string>& ids) {
  std::vector<std::vector<std::string>> commands;
  for (const std::string& id : ids) {
    commands.push_back({"HMGET", product_key(redis, id), "name", "description", "price_minor"});
  }
  std::vector<Product> products;
  if (commands.empty()) return products;
  const std::vector<RedisReply> replies = redis.pipeline(commands);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (auto product = product_of(ids[i], replies[i])) products.push_back(*std::move(product));
  }
  return products;
}

std::vector<std::string> ids_of_query(std::string_view text) {
  std::vector<std::string> ids;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    ids.emplace_back(text.substr(0, comma));
    if (!is_id(ids.back()) || ids.size() > kLinesMax) {
      throw HttpError(400, "bad-ids", "\"ids\" is 1 to 100 product ids with commas between");
    }
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
  return ids;
}

std::vector<std::string> all_ids(Redis& redis) {
  const RedisReply reply =
      redis.command({"ZRANGE", redis.key("products"), "0", std::to_string(kProductsMax - 1)});
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < reply.size(); ++i) ids.emplace_back(reply[i].text());
  return ids;
}

Response list_products(const Request& request, Context& context) {
  Redis& redis = context.redis("redis");
  const auto wanted = request.query("ids");
  JsonWriter out;
  out.open_array();
  for (const Product& product : load(redis, wanted ? ids_of_query(*wanted) : all_ids(redis))) {
    write_product(out, product);
  }
  return Response::json(out.close_array().take());
}

Response get_product(const Request& request, Context& context) {
  const std::string& id = request.param("id");
  std::vector<Product> found;
  if (is_id(id)) found = load(context.redis("redis"), {id});
  if (found.empty()) throw HttpError(404, "unknown-product", "there is no product " + id);
  JsonWriter out;
  write_product(out, found.front());
  return Response::json(out.take());
}

// Adds what is missing and changes nothing that is there.
Response seed(const Request&, Context& context) {
  require_seed_setting(context);
  Redis& redis = context.redis("redis");
  std::int64_t added = 0;
  for (const Product& product : seed_products()) {
    added += redis
                 .command({"EVAL", kAddIfMissing, "2", redis.key("products"),
                           product_key(redis, product.id), product.id, product.id, "name",
                           product.name, "description", product.description, "price_minor",
                           std::to_string(product.price_minor)})
                 .integer();
  }
  JsonWriter out;
  return Response::json(out.open_object().key("added").integer(added).close_object().take());
}

}  // namespace

void write_product(JsonWriter& out, const Product& product) {
  out.open_object();
  out.key("id").text(product.id);
  out.key("name").text(product.name);
  out.key("description").text(product.description);
  out.key("price").money(product.price_minor);
  out.key("priceMinor").integer(product.price_minor);
  out.key("currency").text(kCurrency);
  out.close_object();
}

subito::Router catalogue_router() {
  subito::Router router;
  router.get("/products", guarded(list_products));
  router.get("/products/{id}", guarded(get_product));
  router.post("/seed", guarded(seed));
  add_health(router, check_redis);
  add_openapi(router, catalogue_openapi());
  return router;
}

}  // namespace shop
