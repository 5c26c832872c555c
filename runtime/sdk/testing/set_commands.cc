// Commands on sets.
#include "runtime/sdk/testing/commands.h"

namespace subito::testing {
namespace {

Reply sadd(Keyspace& keys, Arguments arguments) {
  Set& set = keys.make<Set>(arguments[1]);
  std::int64_t added = 0;
  for (const std::string& member : arguments.subspan(2)) added += set.insert(member).second ? 1 : 0;
  return integer_reply(added);
}

Reply srem(Keyspace& keys, Arguments arguments) {
  Set* set = keys.find<Set>(arguments[1]);
  if (set == nullptr) return integer_reply(0);
  std::size_t removed = 0;
  for (const std::string& member : arguments.subspan(2)) removed += set->erase(member);
  keys.erase_if_empty<Set>(arguments[1]);
  return integer_reply(static_cast<std::int64_t>(removed));
}

// Sorted; Redis has them in an order of its own.
Reply smembers(Keyspace& keys, Arguments arguments) {
  const Set* set = keys.find<Set>(arguments[1]);
  return texts_reply(set == nullptr ? std::vector<std::string>()
                                    : std::vector<std::string>(set->begin(), set->end()));
}

Reply sismember(Keyspace& keys, Arguments arguments) {
  const Set* set = keys.find<Set>(arguments[1]);
  return integer_reply(set != nullptr && set->contains(arguments[2]) ? 1 : 0);
}

Reply scard(Keyspace& keys, Arguments arguments) {
  const Set* set = keys.find<Set>(arguments[1]);
  return integer_reply(set == nullptr ? 0 : static_cast<std::int64_t>(set->size()));
}

}  // namespace

std::span<const Command> set_commands() {
  static constexpr Command kCommands[] = {
      {"SADD", -3, kOneKey, sadd},        {"SREM", -3, kOneKey, srem},
      {"SMEMBERS", 2, kOneKey, smembers}, {"SISMEMBER", 3, kOneKey, sismember},
      {"SCARD", 2, kOneKey, scard},
  };
  return kCommands;
}

}  // namespace subito::testing
