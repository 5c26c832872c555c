// What stock does in Redis that must happen at once: Lua scripts, each checking everything before
// its first write, since an error after a write is not rolled back. Quantities are small integers,
// so that Lua's doubles hold them exactly (lines.h and kPiecesMax bound them).
//
//   stock:products             sorted set of ids
//   stock:level:<product>      hash: sku, received, available, reserved, sold; always
//                              received = available + reserved + sold, none of them negative
//   stock:reservation:<order>  hash: state RESERVED, COMMITTED or RELEASED; lines as text
#pragma once

namespace shop::scripts {

// KEYS: reservation, then the level of each line. ARGV: lines as text, then the quantities.
// Answers {what, ...}: reserved | again STATE | mismatch | unknown LINE | short LINE AVAILABLE.
constexpr const char* kReserve = R"(
local state = redis.call('HGET', KEYS[1], 'state')
if state then
  local lines = redis.call('HGET', KEYS[1], 'lines')
  if lines ~= '' and lines ~= ARGV[1] then return {'mismatch'} end
  return {'again', state}
end
for i = 2, #KEYS do
  local available = redis.call('HGET', KEYS[i], 'available')
  if not available then return {'unknown', i - 2} end
  if tonumber(available) < tonumber(ARGV[i]) then return {'short', i - 2, available} end
end
for i = 2, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'available', -ARGV[i])
  redis.call('HINCRBY', KEYS[i], 'reserved', ARGV[i])
end
redis.call('HSET', KEYS[1], 'state', 'RESERVED', 'lines', ARGV[1])
return {'reserved'}
)";

// Ends a reservation. KEYS: as above. ARGV: lines as text as they were read before, the final
// state, the field its pieces go to, seconds to keep the record, then the quantities.
// Answers {what, ...}: done | again | changed (read the lines anew) | ended STATE.
constexpr const char* kEnd = R"(
local state = redis.call('HGET', KEYS[1], 'state')
local lines = redis.call('HGET', KEYS[1], 'lines')
if state == ARGV[2] then return {'again'} end
if state and state ~= 'RESERVED' then return {'ended', state} end
if (lines or '') ~= ARGV[1] then return {'changed'} end
for i = 2, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'reserved', -ARGV[i + 3])
  redis.call('HINCRBY', KEYS[i], ARGV[3], ARGV[i + 3])
end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'lines', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'done'}
)";

// KEYS: level. ARGV: quantity, most pieces. Answers 1, 0 (too many), or -1 (unknown product).
constexpr const char* kRestock = R"(
local received = redis.call('HGET', KEYS[1], 'received')
if not received then return -1 end
if tonumber(received) + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('HINCRBY', KEYS[1], 'received', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'available', ARGV[1])
return 1
)";

// KEYS: products, level. ARGV: product, sku, pieces.
constexpr const char* kAddIfMissing = R"(
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], 'sku', ARGV[2], 'received', ARGV[3], 'available', ARGV[3],
           'reserved', 0, 'sold', 0)
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])
return 1
)";

}  // namespace shop::scripts
