// What stock does in Redis that must happen at once: Lua scripts, each checking everything before
// its first write, since an error after a write is not rolled back, and each adding its event
// (functions/shop/event.h). Quantities are small integers, so that Lua's doubles hold them exactly
// (lines.h and kPiecesMax bound them).
//
//   stock:products             sorted set of ids, by their number
//   stock:level:<product>      hash: sku, received, available, reserved, sold; always
//                              received = available + reserved + sold, none of them negative;
//                              withdrawn = 1 once the product is no longer sold
//   stock:reservation:<order>  hash: state RESERVED, COMMITTED, RELEASED or EXPIRED; lines as text
//   stock:due                  sorted set of the orders that are RESERVED, by the Unix time in ms
//                              at which that expires
//   stock:restock:<product>:<key>  how much came in with that Idempotency-Key; for a day
//   stock:events               stream
#pragma once

namespace shop::scripts {

// KEYS: reservation, due, events, then the level of each line. ARGV: order, lines as text, ms until
// it expires, event type, event, then the quantities.
// Answers {what, ...}: reserved | again STATE | mismatch | unknown LINE | withdrawn LINE |
// short LINE AVAILABLE.
constexpr const char* kReserve = R"(
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
  if tonumber(level[1]) < tonumber(ARGV[i + 2]) then return {'short', i - 4, level[1]} end
end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
for i = 4, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'available', -ARGV[i + 2])
  redis.call('HINCRBY', KEYS[i], 'reserved', ARGV[i + 2])
end
redis.call('HSET', KEYS[1], 'state', 'RESERVED', 'lines', ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', due), ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return {'reserved'}
)";

// Ends a reservation. KEYS: as above. ARGV: order, lines as text as they were read before, seconds
// to keep the record, event type, event, the final state, the field its pieces go to, then the
// quantities. EXPIRED becomes only what is RESERVED and due; what is EXPIRED counts as RELEASED,
// too.
// Answers {what, ...}: done | again STATE | changed (read the lines anew) | ended STATE | early.
constexpr const char* kEnd = R"(
local state = redis.call('HGET', KEYS[1], 'state')
local lines = redis.call('HGET', KEYS[1], 'lines')
if state == ARGV[6] or (state == 'EXPIRED' and ARGV[6] == 'RELEASED') then
  return {'again', state}
end
if state and state ~= 'RESERVED' then return {'ended', state} end
if (lines or '') ~= ARGV[2] then return {'changed'} end
if ARGV[6] == 'EXPIRED' then
  local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
  local time = redis.call('TIME')
  if not due then return {'ended', 'none'} end
  if tonumber(due) > time[1] * 1000 + math.floor(time[2] / 1000) then return {'early'} end
end
for i = 4, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'reserved', -ARGV[i + 4])
  redis.call('HINCRBY', KEYS[i], ARGV[7], ARGV[i + 4])
end
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'lines', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return {'done'}
)";

// KEYS: level, events, record of the Idempotency-Key (or the level again, when there is none).
// ARGV: quantity, most pieces, seconds to keep the record (0: there is none), event type, event.
// Answers done | again | mismatch | too-many | unknown | withdrawn.
constexpr const char* kRestock = R"(
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
)";

// A level that has never received anything may be the catalogue's news of the product, which came
// before the seed: it takes the pieces.
// KEYS: products, level, events. ARGV: product, sku, pieces, event type, event. Answers 1 or 0.
constexpr const char* kAddIfMissing = R"(
local received = redis.call('HGET', KEYS[2], 'received')
if received and (received ~= '0' or ARGV[3] == '0') then return 0 end
redis.call('HSET', KEYS[2], 'sku', ARGV[2], 'received', ARGV[3], 'available', ARGV[3],
           'reserved', 0, 'sold', 0)
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 1
)";

// A product that has no level yet gets one, so that news of it which come later are too late.
// KEYS: products, level, events. ARGV: product, sku, event type, event. Answers 1 or 0.
constexpr const char* kWithdraw = R"(
if redis.call('HGET', KEYS[2], 'withdrawn') then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[2], 'sku', ARGV[2], 'received', 0, 'available', 0, 'reserved', 0,
             'sold', 0)
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])
end
redis.call('HSET', KEYS[2], 'withdrawn', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[3], 'data', ARGV[4])
return 1
)";

}  // namespace shop::scripts
