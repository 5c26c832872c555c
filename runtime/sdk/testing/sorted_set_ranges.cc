#include "runtime/sdk/testing/sorted_set_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "runtime/sdk/testing/numbers.h"

namespace subito::testing {
namespace {

struct RangeOptions {
  bool by_score = false;
  bool reverse = false;
  bool with_scores = false;
  std::int64_t offset = 0;
  std::int64_t limit = -1;  // negative: all
};

using Member = SortedSet::value_type;
using Members = std::vector<const Member*>;

// Options behind key, start and stop. `old`: ZRANGEBYSCORE, which has fewer.
RangeOptions range_options(Arguments arguments, bool old) {
  RangeOptions options;
  options.by_score = old;
  for (std::size_t i = 4; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (is_option(argument, "WITHSCORES")) {
      options.with_scores = true;
    } else if (is_option(argument, "LIMIT") && i + 2 < arguments.size()) {
      options.offset = read_integer(arguments[++i]);
      options.limit = read_integer(arguments[++i]);
    } else if (!old && !options.reverse && is_option(argument, "REV")) {
      options.reverse = true;
    } else if (!options.by_score && is_option(argument, "BYSCORE")) {
      options.by_score = true;
    } else if (!old && is_option(argument, "BYLEX")) {
      throw NotFaked("ZRANGE BYLEX");
    } else {
      throw ErrorReply(kSyntaxError);
    }
  }
  if (options.limit != -1 && !options.by_score) {
    throw ErrorReply(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  return options;
}

// "5" or "(5", which leaves out 5 itself. Nothing at all is 0.
struct Bound {
  double score = 0;
  bool open = false;
};

Bound read_bound(const std::string& text) {
  const bool open = text.starts_with('(');
  const char* number = text.c_str() + (open ? 1 : 0);
  char* end = nullptr;
  const double score = std::strtod(number, &end);
  if (*end != '\0' || std::isnan(score)) throw ErrorReply("ERR min or max is not a float");
  return {score, open};
}

Members by_rank(const Members& all, std::int64_t start, std::int64_t stop) {
  const Range range = range_of(start, stop, all.size());
  return {all.begin() + static_cast<std::ptrdiff_t>(range.begin),
          all.begin() + static_cast<std::ptrdiff_t>(range.end)};
}

Members by_score(const Members& all, const Bound& low, const Bound& high,
                 const RangeOptions& options) {
  Members chosen;
  if (options.offset < 0) return chosen;
  std::int64_t skip = options.offset;
  for (const Member* member : all) {
    const double score = member->second;
    const bool above = low.open ? score > low.score : score >= low.score;
    const bool below = high.open ? score < high.score : score <= high.score;
    if (!above || !below || skip-- > 0) continue;
    if (options.limit >= 0 && std::ssize(chosen) >= options.limit) break;
    chosen.push_back(member);
  }
  return chosen;
}

// By score, members of equal score by their bytes.
Members in_order(const SortedSet* set, bool reverse) {
  Members members;
  if (set == nullptr) return members;
  for (const Member& member : *set) members.push_back(&member);
  std::stable_sort(members.begin(), members.end(),
                   [](const Member* a, const Member* b) { return a->second < b->second; });
  if (reverse) std::reverse(members.begin(), members.end());
  return members;
}

Reply reply_of(const Members& members, bool with_scores) {
  std::vector<std::string> texts;
  for (const Member* member : members) {
    texts.push_back(member->first);
    if (with_scores) texts.push_back(write_double(member->second));
  }
  return texts_reply(texts);
}

Reply range(Keyspace& keys, Arguments arguments, bool old) {
  const RangeOptions options = range_options(arguments, old);
  if (options.by_score) {
    // Backwards, the higher bound comes first.
    const Bound low = read_bound(arguments[options.reverse ? 3 : 2]);
    const Bound high = read_bound(arguments[options.reverse ? 2 : 3]);
    const Members all = in_order(keys.find<SortedSet>(arguments[1]), options.reverse);
    return reply_of(by_score(all, low, high, options), options.with_scores);
  }
  const std::int64_t start = read_integer(arguments[2]);
  const std::int64_t stop = read_integer(arguments[3]);
  const Members all = in_order(keys.find<SortedSet>(arguments[1]), options.reverse);
  return reply_of(by_rank(all, start, stop), options.with_scores);
}

}  // namespace

Reply zrange(Keyspace& keys, Arguments arguments) {
  return range(keys, arguments, false);
}

Reply zrangebyscore(Keyspace& keys, Arguments arguments) {
  return range(keys, arguments, true);
}

}  // namespace subito::testing
