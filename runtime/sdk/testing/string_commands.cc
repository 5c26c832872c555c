// Commands on strings as texts; number_commands.cc has those on strings as numbers.
#include "runtime/sdk/testing/commands.h"

namespace subito::testing {
namespace {

void replace(Keyspace& keys, const std::string& key, const std::string& value) {
  keys.put(key, value);
  keys.set_expiry(key, std::nullopt);
}

Reply get(Keyspace& keys, Arguments arguments) {
  return text_or_nil(keys.find<std::string>(arguments[1]));
}

struct SetOptions {
  bool nx = false;
  bool xx = false;
  bool get = false;
  bool keep_ttl = false;
  const std::string* time = nullptr;
  Unit unit = Unit::kSeconds;
};

bool take_time(SetOptions& options, Arguments arguments, std::size_t& i) {
  const bool milliseconds = is_option(arguments[i], "PX");
  if (!milliseconds && !is_option(arguments[i], "EX")) return false;
  if (options.time != nullptr || options.keep_ttl || i + 1 == arguments.size()) return false;
  options.unit = milliseconds ? Unit::kMilliseconds : Unit::kSeconds;
  options.time = &arguments[++i];
  return true;
}

bool take_flag(SetOptions& options, const std::string& argument) {
  if (is_option(argument, "NX") && !options.xx) return options.nx = true;
  if (is_option(argument, "XX") && !options.nx) return options.xx = true;
  if (is_option(argument, "GET")) return options.get = true;
  if (is_option(argument, "KEEPTTL") && options.time == nullptr) return options.keep_ttl = true;
  return false;
}

SetOptions set_options(Arguments arguments) {
  SetOptions options;
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (is_option(argument, "EXAT") || is_option(argument, "PXAT")) {
      throw NotFaked("SET " + argument);
    }
    if (!take_flag(options, argument) && !take_time(options, arguments, i)) {
      throw ErrorReply(kSyntaxError);
    }
  }
  return options;
}

Reply set(Keyspace& keys, Arguments arguments) {
  const SetOptions options = set_options(arguments);
  const std::string& key = arguments[1];
  std::optional<Keyspace::Time> at;
  if (options.time != nullptr) {
    at = expiry_in(keys, *options.time, options.unit, arguments[0], false);
  }
  const Reply before = options.get ? text_or_nil(keys.find<std::string>(key)) : ok_reply();
  const bool there = keys.any(key) != nullptr;
  if ((options.nx && there) || (options.xx && !there)) return options.get ? before : nil_reply();
  keys.put(key, arguments[2]);
  if (!options.keep_ttl) keys.set_expiry(key, at);
  return before;
}

Reply setex(Keyspace& keys, Arguments arguments) {
  const auto at = expiry_in(keys, arguments[2], Unit::kSeconds, arguments[0], false);
  keys.put(arguments[1], arguments[3]);
  keys.set_expiry(arguments[1], at);
  return ok_reply();
}

Reply setnx(Keyspace& keys, Arguments arguments) {
  if (keys.any(arguments[1]) != nullptr) return integer_reply(0);
  replace(keys, arguments[1], arguments[2]);
  return integer_reply(1);
}

Reply getdel(Keyspace& keys, Arguments arguments) {
  const Reply value = get(keys, arguments);
  keys.erase(arguments[1]);
  return value;
}

Reply mget(Keyspace& keys, Arguments arguments) {
  std::vector<Reply> values;
  for (const std::string& key : arguments.subspan(1)) {
    const Value* value = keys.any(key);  // what is no string is nil here, and no error
    values.push_back(text_or_nil(value == nullptr ? nullptr : std::get_if<std::string>(value)));
  }
  return array_reply(values);
}

Reply mset(Keyspace& keys, Arguments arguments) {
  if (arguments.size() % 2 == 0) throw wrong_number_of_arguments(arguments[0]);
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    replace(keys, arguments[i], arguments[i + 1]);
  }
  return ok_reply();
}

Reply append(Keyspace& keys, Arguments arguments) {
  std::string& value = keys.make<std::string>(arguments[1]);
  value += arguments[2];
  return integer_reply(static_cast<std::int64_t>(value.size()));
}

Reply strlen(Keyspace& keys, Arguments arguments) {
  const std::string* value = keys.find<std::string>(arguments[1]);
  return integer_reply(value == nullptr ? 0 : static_cast<std::int64_t>(value->size()));
}

}  // namespace

std::span<const Command> string_commands() {
  static constexpr Command kCommands[] = {
      {"GET", 2, kOneKey, get},         {"SET", -3, kOneKey, set},
      {"SETEX", 4, kOneKey, setex},     {"SETNX", 3, kOneKey, setnx},
      {"GETDEL", 2, kOneKey, getdel},   {"MGET", -2, kAllKeys, mget},
      {"MSET", -3, kEverySecond, mset}, {"APPEND", 3, kOneKey, append},
      {"STRLEN", 2, kOneKey, strlen},
  };
  return kCommands;
}

}  // namespace subito::testing
