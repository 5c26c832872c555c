// Commands on hashes.
#include "runtime/sdk/testing/commands.h"
#include "runtime/sdk/testing/numbers.h"

namespace subito::testing {
namespace {

std::string* field_of(Keyspace& keys, const std::string& key, const std::string& field) {
  Hash* hash = keys.find<Hash>(key);
  return hash == nullptr ? nullptr : hash->find(field);
}

Reply hset(Keyspace& keys, Arguments arguments) {
  if (arguments.size() % 2 != 0) throw wrong_number_of_arguments(arguments[0]);
  Hash& hash = keys.make<Hash>(arguments[1]);
  std::int64_t added = 0;
  for (std::size_t i = 2; i < arguments.size(); i += 2) {
    added += hash.set(arguments[i], arguments[i + 1]) ? 1 : 0;
  }
  return integer_reply(added);
}

Reply hsetnx(Keyspace& keys, Arguments arguments) {
  if (field_of(keys, arguments[1], arguments[2]) != nullptr) return integer_reply(0);
  keys.make<Hash>(arguments[1]).set(arguments[2], arguments[3]);
  return integer_reply(1);
}

Reply hget(Keyspace& keys, Arguments arguments) {
  return text_or_nil(field_of(keys, arguments[1], arguments[2]));
}

Reply hmget(Keyspace& keys, Arguments arguments) {
  Hash* hash = keys.find<Hash>(arguments[1]);
  std::vector<Reply> values;
  for (const std::string& field : arguments.subspan(2)) {
    values.push_back(text_or_nil(hash == nullptr ? nullptr : hash->find(field)));
  }
  return array_reply(values);
}

Reply hash_as_list(Keyspace& keys, const std::string& key, bool names, bool values) {
  std::vector<std::string> texts;
  if (const Hash* hash = keys.find<Hash>(key)) {
    for (const auto& [name, value] : hash->fields) {
      if (names) texts.push_back(name);
      if (values) texts.push_back(value);
    }
  }
  return texts_reply(texts);
}

Reply hgetall(Keyspace& keys, Arguments arguments) {
  return hash_as_list(keys, arguments[1], true, true);
}

Reply hkeys(Keyspace& keys, Arguments arguments) {
  return hash_as_list(keys, arguments[1], true, false);
}

Reply hvals(Keyspace& keys, Arguments arguments) {
  return hash_as_list(keys, arguments[1], false, true);
}

Reply hdel(Keyspace& keys, Arguments arguments) {
  Hash* hash = keys.find<Hash>(arguments[1]);
  if (hash == nullptr) return integer_reply(0);
  std::int64_t removed = 0;
  for (const std::string& field : arguments.subspan(2)) removed += hash->erase(field) ? 1 : 0;
  keys.erase_if_empty<Hash>(arguments[1]);
  return integer_reply(removed);
}

Reply hexists(Keyspace& keys, Arguments arguments) {
  return integer_reply(field_of(keys, arguments[1], arguments[2]) == nullptr ? 0 : 1);
}

Reply hincrby(Keyspace& keys, Arguments arguments) {
  const std::int64_t change = read_integer(arguments[3]);
  const std::string* before = field_of(keys, arguments[1], arguments[2]);
  const std::int64_t value =
      before == nullptr ? 0 : read_integer(*before, "ERR hash value is not an integer");
  const std::int64_t sum = add_integers(value, change);
  keys.make<Hash>(arguments[1]).set(arguments[2], std::to_string(sum));
  return integer_reply(sum);
}

Reply hlen(Keyspace& keys, Arguments arguments) {
  const Hash* hash = keys.find<Hash>(arguments[1]);
  return integer_reply(hash == nullptr ? 0 : static_cast<std::int64_t>(hash->size()));
}

}  // namespace

std::span<const Command> hash_commands() {
  static constexpr Command kCommands[] = {
      {"HSET", -4, kOneKey, hset},      {"HSETNX", 4, kOneKey, hsetnx},
      {"HGET", 3, kOneKey, hget},       {"HMGET", -3, kOneKey, hmget},
      {"HGETALL", 2, kOneKey, hgetall}, {"HKEYS", 2, kOneKey, hkeys},
      {"HVALS", 2, kOneKey, hvals},     {"HDEL", -3, kOneKey, hdel},
      {"HEXISTS", 3, kOneKey, hexists}, {"HINCRBY", 4, kOneKey, hincrby},
      {"HLEN", 2, kOneKey, hlen},
  };
  return kCommands;
}

}  // namespace subito::testing
