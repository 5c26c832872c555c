// Commands on keys of any type.
#include <algorithm>

#include "runtime/sdk/testing/commands.h"
#include "runtime/sdk/testing/numbers.h"
#include "runtime/sdk/text.h"

namespace subito::testing {
namespace {

Reply ping(Keyspace&, Arguments arguments) {
  if (arguments.size() > 2) throw wrong_number_of_arguments(arguments[0]);
  return arguments.size() == 2 ? text_reply(arguments[1]) : status_reply("PONG");
}

Reply echo(Keyspace&, Arguments arguments) {
  return text_reply(arguments[1]);
}

Reply del(Keyspace& keys, Arguments arguments) {
  std::int64_t count = 0;
  for (const std::string& key : arguments.subspan(1)) count += keys.erase(key) ? 1 : 0;
  return integer_reply(count);
}

Reply exists(Keyspace& keys, Arguments arguments) {
  std::int64_t count = 0;
  for (const std::string& key : arguments.subspan(1)) count += keys.any(key) != nullptr ? 1 : 0;
  return integer_reply(count);
}

Reply type(Keyspace& keys, Arguments arguments) {
  static constexpr std::string_view kNames[] = {"string", "list", "hash", "set", "zset"};
  const Value* value = keys.any(arguments[1]);
  return status_reply(value == nullptr ? "none" : kNames[value->index()]);
}

// Under which condition EXPIRE sets a new expiry.
struct ExpireCondition {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;

  bool holds(std::optional<Keyspace::Time> now, Keyspace::Time wanted) const {
    if ((nx && now) || (xx && !now)) return false;
    if (gt && (!now || wanted <= *now)) return false;
    return !(lt && now && wanted >= *now);
  }
};

ExpireCondition condition_of(Arguments options) {
  ExpireCondition condition;
  for (const std::string& option : options) {
    if (is_option(option, "NX")) {
      condition.nx = true;
    } else if (is_option(option, "XX")) {
      condition.xx = true;
    } else if (is_option(option, "GT")) {
      condition.gt = true;
    } else if (is_option(option, "LT")) {
      condition.lt = true;
    } else {
      throw ErrorReply("ERR Unsupported option " + option);
    }
  }
  if (condition.nx && (condition.xx || condition.gt || condition.lt)) {
    throw ErrorReply("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (condition.gt && condition.lt) {
    throw ErrorReply("ERR GT and LT options at the same time are not compatible");
  }
  return condition;
}

Reply expire_in(Keyspace& keys, Arguments arguments, Unit unit) {
  const ExpireCondition condition = condition_of(arguments.subspan(3));
  const auto at = expiry_in(keys, arguments[2], unit, arguments[0], true);
  const std::string& key = arguments[1];
  if (keys.any(key) == nullptr || !condition.holds(keys.expiry(key), at)) return integer_reply(0);
  keys.set_expiry(key, at);  // what is past is gone at once
  return integer_reply(1);
}

Reply expire(Keyspace& keys, Arguments arguments) {
  return expire_in(keys, arguments, Unit::kSeconds);
}

Reply pexpire(Keyspace& keys, Arguments arguments) {
  return expire_in(keys, arguments, Unit::kMilliseconds);
}

// In milliseconds; -1 for a key without expiry, -2 for none.
std::int64_t time_to_live(Keyspace& keys, const std::string& key) {
  if (keys.any(key) == nullptr) return -2;
  const auto at = keys.expiry(key);
  return at ? (*at - keys.now()).count() : -1;
}

Reply pttl(Keyspace& keys, Arguments arguments) {
  return integer_reply(time_to_live(keys, arguments[1]));
}

Reply ttl(Keyspace& keys, Arguments arguments) {
  const std::int64_t left = time_to_live(keys, arguments[1]);
  return integer_reply(left < 0 ? left : (left + 500) / 1000);
}

Reply persist(Keyspace& keys, Arguments arguments) {
  const bool had = keys.expiry(arguments[1]).has_value();
  if (had) keys.set_expiry(arguments[1], std::nullopt);
  return integer_reply(had ? 1 : 0);
}

}  // namespace

std::span<const Command> key_commands() {
  static constexpr Command kCommands[] = {
      {"PING", -1, kNoKey, ping},
      {"ECHO", 2, kNoKey, echo},
      {"DEL", -2, kAllKeys, del},
      {"UNLINK", -2, kAllKeys, del},
      {"EXISTS", -2, kAllKeys, exists},
      {"TYPE", 2, kOneKey, type},
      {"EXPIRE", -3, kOneKey, expire},
      {"PEXPIRE", -3, kOneKey, pexpire},
      {"TTL", 2, kOneKey, ttl},
      {"PTTL", 2, kOneKey, pttl},
      {"PERSIST", 2, kOneKey, persist},
      // A function may not look beyond its prefix: these name no key.
      {"KEYS", 2, kNoKey, nullptr},
      {"SCAN", -2, kNoKey, nullptr},
      {"RANDOMKEY", 1, kNoKey, nullptr},
      {"DBSIZE", 1, kNoKey, nullptr},
      {"SELECT", 2, kNoKey, nullptr},
      {"FLUSHALL", -1, kNoKey, nullptr},
      {"FLUSHDB", -1, kNoKey, nullptr},
      {"INFO", -1, kNoKey, nullptr},
  };
  return kCommands;
}

bool is_option(std::string_view argument, std::string_view upper_case) {
  return sdk::equal_without_case(argument, upper_case);
}

Range range_of(std::int64_t start, std::int64_t stop, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (start < 0) start = std::max<std::int64_t>(start + count, 0);
  if (stop < 0) stop += count;
  stop = std::min(stop, count - 1);
  if (start > stop) return {0, 0};
  return {static_cast<std::size_t>(start), static_cast<std::size_t>(stop) + 1};
}

Keyspace::Time expiry_in(const Keyspace& keys, std::string_view time, Unit unit,
                         std::string_view command, bool past_allowed) {
  const std::int64_t scale = unit == Unit::kSeconds ? 1000 : 1;
  const std::int64_t value = read_integer(time);
  std::int64_t milliseconds = 0;
  std::int64_t at = 0;
  if ((value <= 0 && !past_allowed) || __builtin_mul_overflow(value, scale, &milliseconds) ||
      __builtin_add_overflow(milliseconds, keys.now().count(), &at)) {
    throw ErrorReply("ERR invalid expire time in '" + sdk::lower_case(command) + "' command");
  }
  return Keyspace::Time(at);
}

}  // namespace subito::testing
