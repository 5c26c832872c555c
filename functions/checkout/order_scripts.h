// What checkout does with orders in Redis that must happen at once: Lua scripts, each checking
// everything before its first write.
//
//   checkout:order:<id>          hash: status, version, customer, lines, expected, total, reason,
//                                placed: the order, a snapshot of its events (version 0: it has
//                                none yet); key; created (Unix ms by Redis); lease (Unix ms);
//                                refusal once it was decided to cancel it
//   checkout:idempotency:<key>   hash: fingerprint, order, then status and body of the answer; gone
//                                a day after that, and never while the order is open
//   checkout:due                 sorted set: open orders by when to carry them on (Unix ms, Redis)
//   checkout:events              stream: type and data of each step (events.proto)
#pragma once

#include <subito/redis_script.h>

namespace shop::order_scripts {

// KEYS: record, order, due, events. ARGV: fingerprint, id, lease in ms, customer, lines, placed,
// key, version, expected total, then type and data of its event unless it is a draft.
// Answers {what, ...}: started LEASE | known ORDER | replay ORDER STATUS BODY | mismatch.
constexpr subito::RedisScript kBegin(R"(
local record = redis.call('HMGET', KEYS[1], 'fingerprint', 'order', 'status', 'body')
if record[1] then
  if record[1] ~= ARGV[1] then return {'mismatch'} end
  if record[3] then return {'replay', record[2], record[3], record[4]} end
  return {'known', record[2]}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = now + ARGV[3]
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'order', ARGV[2])
redis.call('HSET', KEYS[2], 'status', 'NEW', 'version', ARGV[8], 'customer', ARGV[4],
           'lines', ARGV[5], 'expected', ARGV[9], 'total', '', 'reason', '',
           'placed', ARGV[6], 'key', ARGV[7],
           'created', now, 'lease', lease)
redis.call('ZADD', KEYS[3], lease, ARGV[2])
if ARGV[10] then redis.call('XADD', KEYS[4], '*', 'type', ARGV[10], 'data', ARGV[11]) end
return {'started', lease}
)");

// KEYS: order, due. ARGV: id, lease in ms.
// Answers {what, ...}: unknown | final | held | taken LEASE AGE.
constexpr subito::RedisScript kTake(R"(
local order = redis.call('HMGET', KEYS[1], 'status', 'lease', 'created')
if not order[1] then return {'unknown'} end
if order[1] == 'COMPLETED' or order[1] == 'CANCELLED' then return {'final'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(order[2]) > now then return {'held'} end
local lease = now + ARGV[2]
redis.call('HSET', KEYS[1], 'lease', lease)
redis.call('ZADD', KEYS[2], lease, ARGV[1])
return {'taken', lease, now - order[3]}
)");

// KEYS: order, record, due, events. ARGV: id, version it must have, new version, new status, lines,
// total, reason, what becomes of the record (leave, answer, forget), HTTP status, body, seconds
// to keep an answer, then type and data of each event. Answers 1, or 0 if the order is not what it
// was or may only be cancelled.
constexpr subito::RedisScript kChange(R"(
local order = redis.call('HMGET', KEYS[1], 'version', 'refusal')
local cancels = ARGV[4] == 'CANCELLED'
if order[1] ~= ARGV[2] or (order[2] and not cancels) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'status', ARGV[4], 'lines', ARGV[5],
           'total', ARGV[6], 'reason', ARGV[7])
if cancels or ARGV[4] == 'COMPLETED' then redis.call('ZREM', KEYS[3], ARGV[1]) end
if ARGV[8] ~= 'leave' and redis.call('HGET', KEYS[2], 'order') == ARGV[1] then
  if ARGV[8] == 'forget' then
    redis.call('DEL', KEYS[2])
  else
    redis.call('HSET', KEYS[2], 'status', ARGV[9], 'body', ARGV[10])
    redis.call('EXPIRE', KEYS[2], ARGV[11])
  end
end
for i = 12, #ARGV, 2 do
  redis.call('XADD', KEYS[4], '*', 'type', ARGV[i], 'data', ARGV[i + 1])
end
return 1
)");

// KEYS: order. ARGV: version it must have, refusal. Answers 1, or 0 if it is not what it was.
constexpr subito::RedisScript kDecide(R"(
local order = redis.call('HMGET', KEYS[1], 'version', 'refusal')
if order[1] ~= ARGV[1] or order[2] then return 0 end
redis.call('HSET', KEYS[1], 'refusal', ARGV[2])
return 1
)");

// KEYS: order, due. ARGV: id, lease it must have, delay in ms.
constexpr subito::RedisScript kLetGo(R"(
if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[2] then return 0 end
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'lease', 0)
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3], ARGV[1])
return 1
)");

}  // namespace shop::order_scripts
