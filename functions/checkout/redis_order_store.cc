#include "functions/checkout/redis_order_store.h"

#include <utility>

namespace shop {
namespace {

using subito::RedisReply;

constexpr const char* kRecordSeconds = "86400";

// KEYS: record, order. ARGV: lines, order id, lease in ms, seconds to keep the record.
// Answers {what, ...}: started | resumed ORDER | replay STATUS BODY ORDER | in-flight | mismatch.
constexpr const char* kBegin = R"(
local record = redis.call('HMGET', KEYS[1], 'fingerprint', 'order', 'lease', 'status', 'body')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if record[1] then
  if record[1] ~= ARGV[1] then return {'mismatch'} end
  if record[4] then return {'replay', record[4], record[5], record[2]} end
  if tonumber(record[3]) > now then return {'in-flight'} end
  redis.call('HSET', KEYS[1], 'lease', now + ARGV[3])
  return {'resumed', record[2]}
end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'order', ARGV[2], 'lease', now + ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[2], 'status', 'NEW', 'lines', ARGV[1], 'created', now)
return {'started'}
)";

// KEYS: order, record. ARGV: status it must have, new status, lines, total, reason, what becomes of
// the record (leave, answer, forget), HTTP status, body. Answers 1, or 0 if the status was another.
constexpr const char* kChange = R"(
if redis.call('HGET', KEYS[1], 'status') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[2], 'lines', ARGV[3], 'total', ARGV[4],
           'reason', ARGV[5])
if ARGV[6] == 'forget' then
  redis.call('DEL', KEYS[2])
elseif ARGV[6] == 'answer' and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'status', ARGV[7], 'body', ARGV[8])
end
return 1
)";

constexpr const char* kLetGo = R"(
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'lease', 0) end
return 1
)";

const char* to_string(OrderStore::Record record) {
  switch (record) {
    case OrderStore::Record::kLeave:
      return "leave";
    case OrderStore::Record::kAnswer:
      return "answer";
    case OrderStore::Record::kForget:
      return "forget";
  }
  return "leave";
}

}  // namespace

Begun RedisOrderStore::begin(const std::string& key, const Order& order,
                             std::chrono::milliseconds lease) {
  const RedisReply reply = redis_.command({"EVAL", kBegin, "2", record_key(key),
                                           order_key(order.id), to_text(order.lines), order.id,
                                           std::to_string(lease.count()), kRecordSeconds});
  using Outcome = Begun::Outcome;
  const std::string_view what = reply[0].text();
  if (what == "started") return {Outcome::kStarted, order, {}};
  if (what == "in-flight") return {Outcome::kInFlight, {}, {}};
  if (what == "mismatch") return {Outcome::kMismatch, {}, {}};
  if (what == "replay") {
    StoredAnswer answer{std::stoi(std::string(reply[1].text())), std::string(reply[2].text())};
    Order known;
    known.id = reply[3].text();
    return {Outcome::kReplay, std::move(known), std::move(answer)};
  }
  const std::string id(reply[1].text());
  auto known = find(id);
  if (!known) throw subito::RedisError("resume order " + id + ": it is not there");
  return {Outcome::kResumed, *std::move(known), {}};
}

bool RedisOrderStore::change(const std::string& key, const Order& order, OrderStatus from,
                             Record record, const StoredAnswer& answer) {
  const std::string total = order.total_minor ? std::to_string(*order.total_minor) : "";
  const RedisReply reply =
      redis_.command({"EVAL", kChange, "2", order_key(order.id), record_key(key),
                      std::string(shop::to_string(from)),
                      std::string(shop::to_string(order.status)), to_text(order.lines), total,
                      order.reason, to_string(record), std::to_string(answer.status), answer.body});
  return reply.integer() == 1;
}

void RedisOrderStore::let_go(const std::string& key) {
  redis_.command({"EVAL", kLetGo, "1", record_key(key)});
}

std::optional<Order> RedisOrderStore::find(const std::string& id) {
  const RedisReply fields =
      redis_.command({"HMGET", order_key(id), "status", "lines", "total", "reason"});
  if (fields[0].is_nil()) return std::nullopt;
  Order order;
  order.id = id;
  order.status = status_of_text(fields[0].text());
  order.lines = lines_of_text(fields[1].text());
  if (!fields[2].is_nil() && !fields[2].text().empty()) {
    order.total_minor = std::stoll(std::string(fields[2].text()));
  }
  if (!fields[3].is_nil()) order.reason = fields[3].text();
  return order;
}

}  // namespace shop
