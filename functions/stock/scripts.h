// What stock does in Redis that must happen at once: Lua scripts, each checking everything before
// its first write, since an error after a write is not rolled back, and each adding its event
// (functions/shop/event.h). Quantities are small integers, so that Lua's doubles hold them exactly
// (lines.h and kPiecesMax bound them).
//
//   stock:products             sorted set of the ids that are sold, by their number
//   stock:level:<product>      hash: sku, received, available, reserved, sold; always
//                              received = available + reserved + sold, none of them negative;
//                              withdrawn = 1 once the product is no longer sold
//   stock:reservation:<order>  hash: state RESERVED, COMMITTED, RELEASED or EXPIRED; lines as text;
//                              event: the data of the event of its end, whichever that will be
//   stock:due                  sorted set of the orders that are RESERVED, by the Unix time in ms
//                              at which that expires
//   stock:restock:<product>:<key>  how much came in with that Idempotency-Key; for a day
//   stock:events               stream
#pragma once

#include <subito/redis_script.h>

namespace shop::scripts {

// KEYS: reservation, due, events, then the level of each line. ARGV: order, lines as text, ms until
// it expires, event type, event, the event of its end, then the quantities.
// Answers {what, ...}: reserved | again STATE | mismatch | unknown LINE | withdrawn LINE |
// short LINE AVAILABLE.
constexpr subito::RedisScript kReserve(R"(
local state = redis.call('HGET', KEYS[1], 'state')
if state then
  local lines = redis.call('HGET', KEYS[1], 'lines')
  if lines ~= '' and lines ~= ARGV[2] then return {'mismatch'} end
  return {'again', state}
end
for i = 4, #KEYS do
  local level = redis.call('HMGET', KEYS[i], 'available', 'withdrawn')
  if not level[1] then return {'unknown', i - 4} end
  if level[2] then return {'withdrawn', i - 4} end
  if tonumber(level[1]) < tonumber(ARGV[i + 3]) then return {'short', i - 4, level[1]} end
end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
for i = 4, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'available', -ARGV[i + 3])
  redis.call('HINCRBY', KEYS[i], 'reserved', ARGV[i + 3])
end
redis.call('HSET', KEYS[1], 'state', 'RESERVED', 'lines', ARGV[2], 'event', ARGV[6])
redis.call('ZADD', KEYS[2], string.format('%.0f', due), ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return {'reserved'}
)");

// Ends a reservation: what is reserved is sold or goes back, what was sold comes back. KEYS:
// reservation, due, events. ARGV: order, what the key of a level begins with, seconds to keep the
// record, the final state, event type, event type when what was sold comes back, event of an order
// that has reserved nothing. EXPIRED becomes only what is RESERVED and due; what is EXPIRED counts
// as RELEASED, too. Who never reserved can be RELEASED and then reserves no more.
// Answers {what, ...}: done | again STATE | ended STATE | early | unknown.
constexpr subito::RedisScript kEnd(R"(
local kept = redis.call('HMGET', KEYS[1], 'state', 'lines', 'event')
local state, to = kept[1], ARGV[4]
if not state and to ~= 'RELEASED' then return {'unknown'} end
if state == to or (state == 'EXPIRED' and to == 'RELEASED') then return {'again', state} end
local sold = state == 'COMMITTED'
if state and state ~= 'RESERVED' and not (sold and to == 'RELEASED') then
  return {'ended', state}
end
if to == 'EXPIRED' then
  local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
  local time = redis.call('TIME')
  if not due then return {'ended', 'none'} end
  if tonumber(due) > time[1] * 1000 + math.floor(time[2] / 1000) then return {'early'} end
end
for product, quantity in string.gmatch(kept[2] or '', '([^=,]+)=(%d+)') do
  redis.call('HINCRBY', ARGV[2] .. product, sold and 'sold' or 'reserved', '-' .. quantity)
  redis.call('HINCRBY', ARGV[2] .. product, to == 'COMMITTED' and 'sold' or 'available', quantity)
end
redis.call('HSET', KEYS[1], 'state', to, 'lines', kept[2] or '')
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', sold and ARGV[6] or ARGV[5],
           'data', kept[3] or ARGV[7])
return {'done'}
)");

// KEYS: level, events, record of the Idempotency-Key (or the level again, when there is none).
// ARGV: quantity, most pieces, seconds to keep the record (0: there is none), event type, event.
// Answers done | again | mismatch | too-many | unknown | withdrawn.
constexpr subito::RedisScript kRestock(R"(
local level = redis.call('HMGET', KEYS[1], 'received', 'withdrawn')
if not level[1] then return 'unknown' end
local keep = tonumber(ARGV[3]) > 0
if keep then
  local before = redis.call('GET', KEYS[3])
  if before == ARGV[1] then return 'again' end
  if before then return 'mismatch' end
end
if level[2] then return 'withdrawn' end
if tonumber(level[1]) + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 'too-many' end
redis.call('HINCRBY', KEYS[1], 'received', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'available', ARGV[1])
if keep then redis.call('SET', KEYS[3], ARGV[1], 'EX', ARGV[3]) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 'done'
)");

// A level that has never received anything may be the catalogue's news of the product, which came
// before the seed: it takes the pieces.
// KEYS: products, level, events. ARGV: product, sku, pieces, event type, event. Answers 1 or 0.
constexpr subito::RedisScript kAddIfMissing(R"(
local level = redis.call('HMGET', KEYS[2], 'received', 'withdrawn')
if level[1] and (level[2] or level[1] ~= '0' or ARGV[3] == '0') then return 0 end
redis.call('HSET', KEYS[2], 'sku', ARGV[2], 'received', ARGV[3], 'available', ARGV[3],
           'reserved', 0, 'sold', 0)
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 1
)");

// A product that has no level yet gets one, so that news of it which come later are too late.
// KEYS: products, level, events. ARGV: product, sku, event type, event. Answers 1 or 0.
constexpr subito::RedisScript kWithdraw(R"(
if redis.call('HGET', KEYS[2], 'withdrawn') then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[2], 'sku', ARGV[2], 'received', 0, 'available', 0, 'reserved', 0,
             'sold', 0)
end
redis.call('HSET', KEYS[2], 'withdrawn', 1)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[3], 'data', ARGV[4])
return 1
)");

}  // namespace shop::scripts
