// Commands on strings as numbers.
#include <cmath>
#include <limits>

#include "runtime/sdk/testing/commands.h"
#include "runtime/sdk/testing/numbers.h"

namespace subito::testing {
namespace {

Reply add(Keyspace& keys, const std::string& key, std::int64_t change) {
  const std::string* before = keys.find<std::string>(key);
  const std::int64_t sum = add_integers(before == nullptr ? 0 : read_integer(*before), change);
  keys.put(key, std::to_string(sum));
  return integer_reply(sum);
}

Reply incr(Keyspace& keys, Arguments arguments) {
  return add(keys, arguments[1], 1);
}

Reply decr(Keyspace& keys, Arguments arguments) {
  return add(keys, arguments[1], -1);
}

Reply incrby(Keyspace& keys, Arguments arguments) {
  return add(keys, arguments[1], read_integer(arguments[2]));
}

Reply decrby(Keyspace& keys, Arguments arguments) {
  const std::int64_t change = read_integer(arguments[2]);
  if (change == std::numeric_limits<std::int64_t>::min()) {
    throw ErrorReply("ERR decrement would overflow");
  }
  return add(keys, arguments[1], -change);
}

Reply incrbyfloat(Keyspace& keys, Arguments arguments) {
  const std::string* before = keys.find<std::string>(arguments[1]);
  const long double value = before == nullptr ? 0 : read_long_double(*before);
  const long double sum = value + read_long_double(arguments[2]);
  if (!std::isfinite(sum)) throw ErrorReply("ERR increment would produce NaN or Infinity");
  const std::string text = write_long_double(sum);
  keys.put(arguments[1], text);
  return text_reply(text);
}

}  // namespace

std::span<const Command> number_commands() {
  static constexpr Command kCommands[] = {
      {"INCR", 2, kOneKey, incr},
      {"DECR", 2, kOneKey, decr},
      {"INCRBY", 3, kOneKey, incrby},
      {"DECRBY", 3, kOneKey, decrby},
      {"INCRBYFLOAT", 3, kOneKey, incrbyfloat},
  };
  return kCommands;
}

}  // namespace subito::testing
