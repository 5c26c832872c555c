#include "functions/catalogue/store.h"

#include <subito/redis_script.h>

#include <charconv>
#include <utility>

#include "functions/catalogue/search.h"

namespace shop {
namespace {

using subito::RedisReply;

constexpr std::int64_t kSeedIds = 1000;  // ids up to this are the seed's

// KEYS: product, products, skus, events, deleted. ARGV: id, sku, most products, event type, event,
// then fields and values. Answers done | there | sku | full.
constexpr subito::RedisScript kAdd(R"(
if redis.call('EXISTS', KEYS[1]) == 1 then return 'there' end
if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 1 then return 'there' end
if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 1 then return 'sku' end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 'full' end
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 'done'
)");

// KEYS: product, events. ARGV: version it must have, sku, event type, event, then fields and
// values. Answers done | unknown | version | sku.
constexpr subito::RedisScript kChange(R"(
local before = redis.call('HMGET', KEYS[1], 'name', 'version', 'sku')
if not before[1] then return 'unknown' end
if (before[2] or '1') ~= ARGV[1] then return 'version' end
if before[3] ~= ARGV[2] then return 'sku' end
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[3], 'data', ARGV[4])
return 'done'
)");

// KEYS: product, products, skus, events, deleted. ARGV: version it must have, sku, id, event type,
// event, the last id of the seed. Answers done | unknown | version.
constexpr subito::RedisScript kRemove(R"(
local before = redis.call('HMGET', KEYS[1], 'name', 'version')
if not before[1] then return 'unknown' end
if (before[2] or '1') ~= ARGV[1] then return 'version' end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[2])
if tonumber(ARGV[3]) <= tonumber(ARGV[6]) then redis.call('SADD', KEYS[5], ARGV[3]) end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 'done'
)");

std::int64_t integer_of(const RedisReply& reply, std::int64_t otherwise) {
  if (reply.is_nil()) return otherwise;
  const std::string_view text = reply.text();
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

std::optional<Product> product_of(const std::string& id, const RedisReply& fields) {
  if (fields.is_error()) throw subito::RedisError(std::string(fields.text()));
  if (fields.size() != 6 || fields[0].is_nil()) return std::nullopt;
  const auto text = [&](std::size_t i) {
    return fields[i].is_nil() ? std::string() : std::string(fields[i].text());
  };
  return Product{id,
                 text(0),
                 text(1),
                 integer_of(fields[2], 0),
                 text(3),
                 tags_of_text(text(4)),
                 integer_of(fields[5], 1)};
}

void append_fields(std::vector<std::string>& command, const Product& product) {
  for (std::string part :
       {std::string("name"), product.name, std::string("description"), product.description,
        std::string("price_minor"), std::to_string(product.price_minor), std::string("sku"),
        product.sku, std::string("tags"), to_text(product.tags), std::string("version"),
        std::to_string(product.version)}) {
    command.push_back(std::move(part));
  }
}

ProductStore::Changed changed_of(std::string_view what) {
  using Changed = ProductStore::Changed;
  if (what == "unknown") return Changed::kUnknown;
  if (what == "version") return Changed::kOtherVersion;
  return what == "sku" ? Changed::kOtherSku : Changed::kDone;
}

}  // namespace

std::vector<Product> ProductStore::load(const std::vector<std::string>& ids) {
  std::vector<std::vector<std::string>> commands;
  for (const std::string& id : ids) {
    commands.push_back(
        {"HMGET", key(id), "name", "description", "price_minor", "sku", "tags", "version"});
  }
  std::vector<Product> products;
  if (commands.empty()) return products;
  const std::vector<RedisReply> replies = redis_.pipeline(commands);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (auto product = product_of(ids[i], replies[i])) products.push_back(*std::move(product));
  }
  return products;
}

std::optional<Product> ProductStore::find(const std::string& id) {
  std::vector<Product> found = load({id});
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<std::string> ProductStore::all_ids() {
  const RedisReply reply =
      redis_.command({"ZRANGE", redis_.key("products"), "0", std::to_string(kProductsMax - 1)});
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < reply.size(); ++i) ids.emplace_back(reply[i].text());
  return ids;
}

std::string ProductStore::new_id() {
  return std::to_string(kSeedIds + redis_.command({"INCR", redis_.key("ids")}).integer());
}

std::vector<std::string> ProductStore::keys(const std::string& id) const {
  return {key(id), redis_.key("products"), redis_.key("skus"), events_key(redis_),
          redis_.key("deleted")};
}

ProductStore::Added ProductStore::add(const Product& product) {
  const Event event = created_event(product);
  std::vector<std::string> arguments{product.id, product.sku, std::to_string(kProductsMax),
                                     event.type, event.data};
  append_fields(arguments, product);
  const RedisReply reply = redis_.eval(kAdd, keys(product.id), arguments);
  const std::string_view what = reply.text();
  if (what == "there") return Added::kThere;
  if (what == "sku") return Added::kSkuTaken;
  return what == "full" ? Added::kFull : Added::kDone;
}

ProductStore::Changed ProductStore::change(const Product& product) {
  const Event event = changed_event(product);
  std::vector<std::string> arguments{std::to_string(product.version - 1), product.sku, event.type,
                                     event.data};
  append_fields(arguments, product);
  return changed_of(redis_.eval(kChange, {key(product.id), events_key(redis_)}, arguments).text());
}

ProductStore::Changed ProductStore::remove(const Product& product) {
  const Event event = deleted_event(product);
  const RedisReply reply =
      redis_.eval(kRemove, keys(product.id),
                  {std::to_string(product.version - 1), product.sku, product.id, event.type,
                   event.data, std::to_string(kSeedIds)});
  return changed_of(reply.text());
}

}  // namespace shop
