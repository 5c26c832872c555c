// What payment does in Redis that must happen at once: Lua scripts, each checking everything before
// its first write, and each adding its event (functions/shop/event.h). What is written is at most a
// limit (kLimitMinorMax, below 2^53), so that Lua's doubles hold it exactly; an amount beyond that
// is compared only, and is too much.
//
//   payment:customer:<id>          hash: limit, available, held, spent; always
//                                  limit = available + held + spent, none of them negative
//   payment:authorisation:<order>  hash: state AUTHORISED, CAPTURED or VOIDED; customer, amount and
//                                  event, the data of all its events (none of these if it was
//                                  voided before it was there)
//   payment:fault:<step>           hash: fault, times, slow_ms; with the setting faults: allow
//   payment:events                 stream
#pragma once

#include <subito/redis_script.h>

namespace shop::scripts {

// KEYS: authorisation, customer, events. ARGV: customer, amount, 1 to decline it whatever there is,
// event type and event when it is authorised, the same when it is declined.
// Answers done | declined | unknown | mismatch, or the state that it has: AUTHORISED | CAPTURED |
// VOIDED.
constexpr subito::RedisScript kAuthorise(R"(
local before = redis.call('HMGET', KEYS[1], 'state', 'customer', 'amount')
if before[1] == 'VOIDED' then return 'VOIDED' end
if before[1] then
  if before[2] ~= ARGV[1] or before[3] ~= ARGV[2] then return 'mismatch' end
  return before[1]
end
local available = redis.call('HGET', KEYS[2], 'available')
if not available then return 'unknown' end
if ARGV[3] == '1' or tonumber(available) < tonumber(ARGV[2]) then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[6], 'data', ARGV[7])
  return 'declined'
end
redis.call('HINCRBY', KEYS[2], 'available', '-' .. ARGV[2])
redis.call('HINCRBY', KEYS[2], 'held', ARGV[2])
redis.call('HSET', KEYS[1], 'state', 'AUTHORISED', 'customer', ARGV[1], 'amount', ARGV[2],
           'event', ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 'done'
)");

// Captures or voids; what was captured can be voided, too: it is paid back. KEYS: authorisation,
// events. ARGV: the final state, what the key of a customer begins with, seconds to keep a void,
// event type, event type when it is paid back, event when nothing was authorised. Who was never
// authorised can be VOIDED and then is authorised no more.
// Answers {what, customer, amount}: done | again | unknown | ended.
constexpr subito::RedisScript kSettle(R"(
local kept = redis.call('HMGET', KEYS[1], 'state', 'customer', 'amount', 'event')
local state, customer, amount, to = kept[1], kept[2] or '', kept[3] or '', ARGV[1]
if not state and to == 'CAPTURED' then return {'unknown', '', ''} end
if state == to then return {'again', customer, amount} end
if state == 'VOIDED' then return {'ended', customer, amount} end
local paid = state == 'CAPTURED'
if state then
  redis.call('HINCRBY', ARGV[2] .. customer, paid and 'spent' or 'held', '-' .. amount)
  redis.call('HINCRBY', ARGV[2] .. customer, to == 'CAPTURED' and 'spent' or 'available', amount)
end
redis.call('HSET', KEYS[1], 'state', to)
if to == 'VOIDED' then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000000, '*', 'type', paid and ARGV[5] or ARGV[4],
           'data', kept[4] or ARGV[6])
return {'done', customer, amount}
)");

// KEYS: customer, events. ARGV: limit, event type, event. Answers 1, or 0 if it is there.
constexpr subito::RedisScript kGrant(R"(
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'available', ARGV[1], 'held', 0, 'spent', 0)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[2], 'data', ARGV[3])
return 1
)");

// KEYS: fault. Answers {fault, slow_ms}, one of its times less, or nil.
constexpr subito::RedisScript kTakeFault(R"(
local fault = redis.call('HMGET', KEYS[1], 'fault', 'slow_ms')
if not fault[1] then return nil end
if redis.call('HINCRBY', KEYS[1], 'times', -1) <= 0 then redis.call('DEL', KEYS[1]) end
return fault
)");

}  // namespace shop::scripts
