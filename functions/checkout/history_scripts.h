// What the read model does in Redis that must happen at once. <g> is the generation in use, a
// number: a rebuild fills another one and then puts it to use.
//
//   checkout:view:generation          the one in use; missing: 0
//   checkout:view:generations         counter of those that were ever begun
//   checkout:view:rebuild             the one that is being filled
//   checkout:view:retired             set of those that are to be removed
//   checkout:view:<g>:customers       set of the customers it holds
//   checkout:view:<g>:list:<customer>     sorted set of equal scores: "<placed>-<order>"
//   checkout:view:<g>:orders:<customer>   hash: order to its version, a space, and its JSON
//   checkout:view:<g>:last            id of the last event that it saw
#pragma once

#include <subito/redis_script.h>

namespace shop::history_scripts {

// KEYS: what names the generation, customers, last, then of each order list and orders. ARGV: the
// generation, id of the last event, then of each order customer, order, entry of the list, version,
// JSON. Answers how many of the orders are newer than what was there, and so taken in; -1: another
// generation is in use.
constexpr subito::RedisScript kApply(R"(
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return -1 end
local ms, n = string.match(ARGV[2], '^(%d+)-(%d+)$')
local last = redis.call('GET', KEYS[3]) or '0-0'
local last_ms, last_n = string.match(last, '^(%d+)-(%d+)$')
ms, n, last_ms, last_n = tonumber(ms), tonumber(n), tonumber(last_ms), tonumber(last_n)
if ms > last_ms or (ms == last_ms and n > last_n) then redis.call('SET', KEYS[3], ARGV[2]) end
local taken, key = 0, 4
for i = 3, #ARGV, 5 do
  local known = redis.call('HGET', KEYS[key + 1], ARGV[i + 1])
  if not known or tonumber(string.match(known, '^%d+')) < tonumber(ARGV[i + 3]) then
    redis.call('SADD', KEYS[2], ARGV[i])
    redis.call('ZADD', KEYS[key], 0, ARGV[i + 2])
    redis.call('HSET', KEYS[key + 1], ARGV[i + 1], ARGV[i + 3] .. ' ' .. ARGV[i + 4])
    taken = taken + 1
  end
  key = key + 2
end
return taken
)");

// A page, newest first. Writes nothing. KEYS: generation, list, orders. ARGV: the generation, where
// the page begins as ZREVRANGEBYLEX takes it, most entries. Answers {1, then entry and what is kept
// of its order, ...}; {0}: another generation is in use, and this one may be gone in part.
constexpr subito::RedisScript kPage(R"(
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return {0} end
local page = {1}
for _, entry in ipairs(redis.call('ZREVRANGEBYLEX', KEYS[2], ARGV[2], '-', 'LIMIT', 0, ARGV[3])) do
  page[#page + 1] = entry
  page[#page + 1] = redis.call('HGET', KEYS[3], string.match(entry, '-(.*)')) or ''
end
return page
)");

// KEYS: rebuild, generations. Answers the generation to fill, begun now or before.
constexpr subito::RedisScript kBeginRebuild(R"(
local begun = redis.call('GET', KEYS[1])
if begun then return tonumber(begun) end
local fresh = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], fresh)
return fresh
)");

// Puts the filled generation to use. KEYS: rebuild, generation, retired, events, last of the filled
// one. ARGV: the filled one, id of the last event that was read.
// Answers 1, 0 (there are more events), -1 (it is not the one being filled any more).
constexpr subito::RedisScript kSwitch(R"(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local newest = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
if newest[1] and newest[1][1] ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[5], ARGV[2])
redis.call('SADD', KEYS[3], redis.call('GET', KEYS[2]) or '0')
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
)");

}  // namespace shop::history_scripts
