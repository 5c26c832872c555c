// The commands of the fake Redis. Each is a function of the keyspace and its arguments, the name of
// the command first; it throws ErrorReply for what Redis answers with an error. Stateless.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/sdk/testing/keyspace.h"
#include "runtime/sdk/testing/replies.h"

namespace subito::testing {

using Arguments = std::span<const std::string>;

// Where the keys are among the arguments: from `first` to `last` (negative: from the end), each
// `step`th. None when `first` is 0.
struct KeyPositions {
  int first = 0;
  int last = 0;
  int step = 1;
};
inline constexpr KeyPositions kNoKey = {0, 0, 1};
inline constexpr KeyPositions kOneKey = {1, 1, 1};
inline constexpr KeyPositions kAllKeys = {1, -1, 1};
inline constexpr KeyPositions kEverySecond = {1, -1, 2};

struct Command {
  std::string_view name;
  int arity;  // with the name; negative: at least so many
  KeyPositions keys;
  Reply (*run)(Keyspace&, Arguments);  // null: a function has no right to it
};

std::span<const Command> key_commands();
std::span<const Command> string_commands();
std::span<const Command> number_commands();
std::span<const Command> hash_commands();
std::span<const Command> list_commands();
std::span<const Command> set_commands();
std::span<const Command> sorted_set_commands();

// Whether an argument is the option `upper_case`.
bool is_option(std::string_view argument, std::string_view upper_case);

// `start` and `stop` as LRANGE and ZRANGE count, from the end when negative, cut to [0, size).
// Empty when begin == end.
struct Range {
  std::size_t begin;
  std::size_t end;
};
Range range_of(std::int64_t start, std::int64_t stop, std::size_t size);

// The moment of expiry, `time` from now. Throws ErrorReply when it cannot be counted, and unless
// `past_allowed` when it is not ahead.
enum class Unit { kSeconds, kMilliseconds };
Keyspace::Time expiry_in(const Keyspace& keys, std::string_view time, Unit unit,
                         std::string_view command, bool past_allowed);

}  // namespace subito::testing
