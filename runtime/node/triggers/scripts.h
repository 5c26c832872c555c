// The Lua scripts of triggers: each change at Redis is one of them, so that a delivery is never
// acknowledged and kept, or in both places. They run as the node's own user. Constants.
//
// Written for Redis 7.0. An error after a write is not rolled back: what can fail comes first.
#pragma once

namespace subito::node::scripts {

// KEYS stream dead; ARGV group consumer idle_ms count -> {ids taken and not acknowledged, dead
// letters}. Makes stream and group where they are not; takes over what others left lying.
inline constexpr char kStreamRecover[] = R"(
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', ARGV[4], 'JUSTID')
local ids = {}
for _, one in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', ARGV[4], ARGV[2])) do
  ids[#ids + 1] = one[1]
end
return {ids, redis.call('XLEN', KEYS[2])}
)";

// KEYS stream; ARGV group consumer room entry_bytes_max all_bytes_max -> {entries, lag or false};
// of an entry that is too large its size stands in place of its fields.
inline constexpr char kStreamLook[] = R"(
local entries, total = {}, 0
for _ = 1, tonumber(ARGV[3]) do
  local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1],
                          '>')
  if not read then break end
  local entry, bytes = read[1][2][1], 0
  for _, text in ipairs(entry[2]) do bytes = bytes + #text end
  if bytes > tonumber(ARGV[4]) then entry[2] = bytes else total = total + bytes end
  entries[#entries + 1] = entry
  if total > tonumber(ARGV[5]) then break end
end
local lag = false
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  if group[2] == ARGV[1] then lag = group[12] end
end
return {entries, lag}
)";

// KEYS stream; ARGV group consumer id entry_bytes_max -> {deliveries, fields or their size} or {}.
inline constexpr char kStreamTake[] = R"(
local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3])
if not claimed[1] then return {} end
local taken = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
local fields, bytes = claimed[1][2], 0
for _, text in ipairs(fields) do bytes = bytes + #text end
if bytes > tonumber(ARGV[4]) then fields = bytes end
return {taken[1][4], fields}
)";

// KEYS stream dead; ARGV group id why deliveries source -> dead letters
inline constexpr char kStreamDead[] = R"(
if redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)[1] then
  local letter = {'subito-id', ARGV[2], 'subito-why', ARGV[3], 'subito-deliveries', ARGV[4],
                  'subito-source', ARGV[5]}
  local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
  if entry and #entry[2] <= 200 then
    for _, text in ipairs(entry[2]) do letter[#letter + 1] = text end
  end
  redis.call('XADD', KEYS[2], '*', unpack(letter))
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
end
return redis.call('XLEN', KEYS[2])
)";

// KEYS stream dead; ARGV group consumer letter id -> 1, or 0: the stream has it no more.
inline constexpr char kStreamReplay[] = R"(
local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[4], 'RETRYCOUNT', 0,
                           'FORCE', 'JUSTID')
if #claimed == 0 then return 0 end
redis.call('XDEL', KEYS[2], ARGV[3])
return 1
)";

// The count of a due member's deliveries is "SCORE COUNT" under its name in the hash of tries.
// KEYS due dead tries -> {{}, dead letters}. Forgets counts of what is no more.
inline constexpr char kDueRecover[] = R"(
for _, member in ipairs(redis.call('HKEYS', KEYS[3])) do
  local score = string.match(redis.call('HGET', KEYS[3], member), '^(%S+) ')
  if redis.call('ZSCORE', KEYS[1], member) ~= score then redis.call('HDEL', KEYS[3], member) end
end
return {{}, redis.call('XLEN', KEYS[2])}
)";

// KEYS due; ARGV count -> {member, score, ... that are due, now, score of the next or false, how
// many are due}
inline constexpr char kDueLook[] = R"(
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1],
                       'WITHSCORES')
local next = redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1,
                        'WITHSCORES')
return {due, now, next[2] or false, redis.call('ZCOUNT', KEYS[1], '-inf', now)}
)";

// KEYS due dead tries; ARGV member score -> deliveries, this one counted, or 0: it is no more.
inline constexpr char kDueTake[] = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
local score, count = string.match(redis.call('HGET', KEYS[3], ARGV[1]) or '', '^(%S+) (%d+)$')
if score ~= ARGV[2] then count = 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2] .. ' ' .. count + 1)
return count + 1
)";

// KEYS due dead tries; ARGV member score count
inline constexpr char kDueUntake[] = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return 1
)";

// KEYS due dead tries; ARGV member score, and of a dead letter: id why deliveries source
// -> dead letters
inline constexpr char kDueSettle[] = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
  if ARGV[3] then
    redis.call('XADD', KEYS[2], '*', 'subito-id', ARGV[3], 'subito-why', ARGV[4],
               'subito-deliveries', ARGV[5], 'subito-source', ARGV[6], 'subito-member', ARGV[1],
               'subito-score', ARGV[2], 'type', 'subito.due')
  end
  redis.call('ZREM', KEYS[1], ARGV[1])
end
local score = string.match(redis.call('HGET', KEYS[3], ARGV[1]) or '', '^(%S+) ')
if score == ARGV[2] then redis.call('HDEL', KEYS[3], ARGV[1]) end
return redis.call('XLEN', KEYS[2])
)";

// KEYS due dead; ARGV letter member score. A member that is there for another time stays so.
inline constexpr char kDueReplay[] = R"(
redis.call('ZADD', KEYS[1], 'NX', ARGV[3], ARGV[2])
redis.call('XDEL', KEYS[2], ARGV[1])
return 1
)";

}  // namespace subito::node::scripts
