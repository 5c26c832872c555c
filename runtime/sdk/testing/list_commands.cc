// Commands on lists.
#include <algorithm>

#include "runtime/sdk/testing/commands.h"
#include "runtime/sdk/testing/numbers.h"

namespace subito::testing {
namespace {

enum class Side { kLeft, kRight };

Reply push(Keyspace& keys, Arguments arguments, Side side) {
  List& list = keys.make<List>(arguments[1]);
  for (const std::string& element : arguments.subspan(2)) {
    side == Side::kLeft ? list.push_front(element) : list.push_back(element);
  }
  return integer_reply(static_cast<std::int64_t>(list.size()));
}

Reply lpush(Keyspace& keys, Arguments arguments) {
  return push(keys, arguments, Side::kLeft);
}

Reply rpush(Keyspace& keys, Arguments arguments) {
  return push(keys, arguments, Side::kRight);
}

std::string take(List& list, Side side) {
  std::string element = side == Side::kLeft ? list.front() : list.back();
  side == Side::kLeft ? list.pop_front() : list.pop_back();
  return element;
}

std::int64_t read_count(const std::string& text) {
  constexpr const char* kFault = "ERR value is out of range, must be positive";
  const std::int64_t count = read_integer(text, kFault);
  if (count < 0) throw ErrorReply(kFault);
  return count;
}

Reply pop(Keyspace& keys, Arguments arguments, Side side) {
  if (arguments.size() > 3) throw wrong_number_of_arguments(arguments[0]);
  const bool many = arguments.size() == 3;
  const std::int64_t count = many ? read_count(arguments[2]) : 1;
  List* list = keys.find<List>(arguments[1]);
  if (list == nullptr) return many ? "*-1\r\n" : nil_reply();
  std::vector<std::string> taken;
  const auto all = static_cast<std::int64_t>(list->size());
  for (std::int64_t i = std::min(count, all); i > 0; --i) taken.push_back(take(*list, side));
  keys.erase_if_empty<List>(arguments[1]);
  return many ? texts_reply(taken) : text_reply(taken.front());
}

Reply lpop(Keyspace& keys, Arguments arguments) {
  return pop(keys, arguments, Side::kLeft);
}

Reply rpop(Keyspace& keys, Arguments arguments) {
  return pop(keys, arguments, Side::kRight);
}

Reply lrange(Keyspace& keys, Arguments arguments) {
  const std::int64_t start = read_integer(arguments[2]);
  const std::int64_t stop = read_integer(arguments[3]);
  std::vector<std::string> elements;
  if (const List* list = keys.find<List>(arguments[1])) {
    const Range range = range_of(start, stop, list->size());
    for (std::size_t i = range.begin; i < range.end; ++i) elements.push_back((*list)[i]);
  }
  return texts_reply(elements);
}

Reply ltrim(Keyspace& keys, Arguments arguments) {
  const std::int64_t start = read_integer(arguments[2]);
  const std::int64_t stop = read_integer(arguments[3]);
  if (List* list = keys.find<List>(arguments[1])) {
    const Range range = range_of(start, stop, list->size());
    const auto begin = list->begin();
    *list = List(begin + static_cast<std::ptrdiff_t>(range.begin),
                 begin + static_cast<std::ptrdiff_t>(range.end));
    keys.erase_if_empty<List>(arguments[1]);
  }
  return ok_reply();
}

Reply llen(Keyspace& keys, Arguments arguments) {
  const List* list = keys.find<List>(arguments[1]);
  return integer_reply(list == nullptr ? 0 : static_cast<std::int64_t>(list->size()));
}

}  // namespace

std::span<const Command> list_commands() {
  static constexpr Command kCommands[] = {
      {"LPUSH", -3, kOneKey, lpush}, {"RPUSH", -3, kOneKey, rpush},  {"LPOP", -2, kOneKey, lpop},
      {"RPOP", -2, kOneKey, rpop},   {"LRANGE", 4, kOneKey, lrange}, {"LTRIM", 4, kOneKey, ltrim},
      {"LLEN", 2, kOneKey, llen},
  };
  return kCommands;
}

}  // namespace subito::testing
