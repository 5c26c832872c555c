// What payment does in Redis that must happen at once: Lua scripts, each checking everything before
// its first write, and each adding its event (functions/shop/event.h). What is written is at most a
// limit (kLimitMinorMax, below 2^53), so that Lua's doubles hold it exactly; an amount beyond that
// is compared only, and is too much.
//
//   payment:customer:<id>          hash: limit, available, held, spent; always
//                                  limit = available + held + spent, none of them negative
//   payment:authorisation:<order>  hash: state AUTHORISED, CAPTURED or VOIDED; customer, amount
//                                  (neither if it was voided before it was there)
//   payment:fault:<step>           hash: fault, times, slow_ms; with the setting faults: allow
//   payment:events                 stream
#pragma once

namespace shop::scripts {

// KEYS: authorisation, customer, events. ARGV: customer, amount, 1 to decline it whatever there is,
// event type and event when it is authorised, the same when it is declined.
// Answers done | declined | unknown | mismatch, or the state that it has: AUTHORISED | CAPTURED |
// VOIDED.
constexpr const char* kAuthorise = R"(
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
redis.call('HSET', KEYS[1], 'state', 'AUTHORISED', 'customer', ARGV[1], 'amount', ARGV[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[4], 'data', ARGV[5])
return 'done'
)";

// Captures or voids. KEYS: authorisation, events, customer (or the authorisation again, when it has
// none). ARGV: customer and amount as they were read before, the final state, the field that its
// amount goes to, seconds to keep the record (0: for ever), event type, event.
// Answers done | again | changed (read it anew) | ended.
constexpr const char* kSettle = R"(
local before = redis.call('HMGET', KEYS[1], 'state', 'customer', 'amount')
if before[1] == ARGV[3] then return 'again' end
if before[1] and before[1] ~= 'AUTHORISED' then return 'ended' end
if (before[2] or '') ~= ARGV[1] or (before[3] or '') ~= ARGV[2] then return 'changed' end
if before[1] then
  redis.call('HINCRBY', KEYS[3], 'held', '-' .. ARGV[2])
  redis.call('HINCRBY', KEYS[3], ARGV[4], ARGV[2])
end
redis.call('HSET', KEYS[1], 'state', ARGV[3])
if ARGV[5] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[6], 'data', ARGV[7])
return 'done'
)";

// KEYS: customer, events. ARGV: limit, event type, event. Answers 1, or 0 if it is there.
constexpr const char* kGrant = R"(
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'available', ARGV[1], 'held', 0, 'spent', 0)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[2], 'data', ARGV[3])
return 1
)";

// KEYS: fault. Answers {fault, slow_ms}, one of its times less, or nil.
constexpr const char* kTakeFault = R"(
local fault = redis.call('HMGET', KEYS[1], 'fault', 'slow_ms')
if not fault[1] then return nil end
if redis.call('HINCRBY', KEYS[1], 'times', -1) <= 0 then redis.call('DEL', KEYS[1]) end
return fault
)";

}  // namespace shop::scripts
