// Commands that change sorted sets or look at one member; sorted_set_ranges.cc has the ranges.
#include <cmath>

#include "runtime/sdk/testing/commands.h"
#include "runtime/sdk/testing/numbers.h"
#include "runtime/sdk/testing/sorted_set_ranges.h"

namespace subito::testing {
namespace {

struct AddOptions {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;
  bool ch = false;
  bool incr = false;
};

bool take_option(AddOptions& options, const std::string& argument) {
  if (is_option(argument, "NX")) return options.nx = true;
  if (is_option(argument, "XX")) return options.xx = true;
  if (is_option(argument, "GT")) return options.gt = true;
  if (is_option(argument, "LT")) return options.lt = true;
  if (is_option(argument, "CH")) return options.ch = true;
  if (is_option(argument, "INCR")) return options.incr = true;
  return false;
}

// Takes the options off `rest`, which is pairs of score and member then.
AddOptions add_options(Arguments& rest, bool incr) {
  AddOptions options;
  options.incr = incr;
  while (!rest.empty() && take_option(options, rest.front())) rest = rest.subspan(1);
  if (rest.empty() || rest.size() % 2 != 0) throw ErrorReply(kSyntaxError);
  if (options.nx && options.xx) {
    throw ErrorReply("ERR XX and NX options at the same time are not compatible");
  }
  if ((options.gt && options.nx) || (options.lt && options.nx) || (options.gt && options.lt)) {
    throw ErrorReply("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (options.incr && rest.size() > 2) {
    throw ErrorReply("ERR INCR option supports a single increment-element pair");
  }
  return options;
}

struct Added {
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::optional<double> score;  // of the last member that was not left alone
};

void add_member(SortedSet& set, const AddOptions& options, double score, const std::string& member,
                Added& out) {
  const auto known = set.find(member);
  if (known == set.end()) {
    if (options.xx) return;
    set.emplace(member, score);
    ++out.added;
    out.score = score;
    return;
  }
  if (options.nx) return;
  if (options.incr) score += known->second;
  if (std::isnan(score)) throw ErrorReply("ERR resulting score is not a number (NaN)");
  if ((options.gt && score <= known->second) || (options.lt && score >= known->second)) return;
  if (score != known->second) ++out.changed;
  known->second = score;
  out.score = score;
}

Reply add_members(Keyspace& keys, Arguments arguments, bool incr) {
  Arguments pairs = arguments.subspan(2);
  const AddOptions options = add_options(pairs, incr);
  std::vector<double> scores;
  for (std::size_t i = 0; i < pairs.size(); i += 2) scores.push_back(read_double(pairs[i]));
  SortedSet& set = keys.make<SortedSet>(arguments[1]);
  Added out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    add_member(set, options, scores[i], pairs[2 * i + 1], out);
  }
  keys.erase_if_empty<SortedSet>(arguments[1]);
  if (options.incr) return out.score ? text_reply(write_double(*out.score)) : nil_reply();
  return integer_reply(out.added + (options.ch ? out.changed : 0));
}

Reply zadd(Keyspace& keys, Arguments arguments) {
  return add_members(keys, arguments, false);
}

Reply zincrby(Keyspace& keys, Arguments arguments) {
  return add_members(keys, arguments, true);
}

Reply zrem(Keyspace& keys, Arguments arguments) {
  SortedSet* set = keys.find<SortedSet>(arguments[1]);
  if (set == nullptr) return integer_reply(0);
  std::size_t removed = 0;
  for (const std::string& member : arguments.subspan(2)) removed += set->erase(member);
  keys.erase_if_empty<SortedSet>(arguments[1]);
  return integer_reply(static_cast<std::int64_t>(removed));
}

Reply zscore(Keyspace& keys, Arguments arguments) {
  const SortedSet* set = keys.find<SortedSet>(arguments[1]);
  if (set == nullptr) return nil_reply();
  const auto member = set->find(arguments[2]);
  return member == set->end() ? nil_reply() : text_reply(write_double(member->second));
}

Reply zcard(Keyspace& keys, Arguments arguments) {
  const SortedSet* set = keys.find<SortedSet>(arguments[1]);
  return integer_reply(set == nullptr ? 0 : static_cast<std::int64_t>(set->size()));
}

}  // namespace

std::span<const Command> sorted_set_commands() {
  static constexpr Command kCommands[] = {
      {"ZADD", -4, kOneKey, zadd},
      {"ZINCRBY", 4, kOneKey, zincrby},
      {"ZREM", -3, kOneKey, zrem},
      {"ZSCORE", 3, kOneKey, zscore},
      {"ZCARD", 2, kOneKey, zcard},
      {"ZRANGE", -4, kOneKey, zrange},
      {"ZRANGEBYSCORE", -4, kOneKey, zrangebyscore},
  };
  return kCommands;
}

}  // namespace subito::testing
