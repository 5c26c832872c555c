// Keyspace: the keys of a fake Redis, their values and when they expire. One value is a string, a
// list, a hash, a set or a sorted set; one that becomes empty is gone. Owned by a FakeRedis.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/sdk/testing/replies.h"

namespace subito::testing {

using List = std::deque<std::string>;
using Set = std::set<std::string>;
using SortedSet = std::map<std::string, double>;  // scores by member

// Fields in the order in which they came, as in a small hash of Redis.
struct Hash {
  std::vector<std::pair<std::string, std::string>> fields;

  std::size_t size() const { return fields.size(); }
  bool empty() const { return fields.empty(); }
  std::string* find(std::string_view field);
  bool set(const std::string& field, const std::string& value);  // true: it is new
  bool erase(std::string_view field);
};

using Value = std::variant<std::string, List, Hash, Set, SortedSet>;

class Keyspace {
 public:
  using Time = std::chrono::milliseconds;  // since any moment

  explicit Keyspace(std::function<Time()> now) : now_(std::move(now)) {}

  Time now() const { return now_(); }

  // Null when it is not there. Throws ErrorReply WRONGTYPE when it is something else.
  template <typename T>
  T* find(const std::string& key) {
    Value* value = any(key);
    return value == nullptr ? nullptr : &as<T>(*value);
  }
  // As find(), but what is not there is made, empty. What stays empty must go: erase_if_empty().
  template <typename T>
  T& make(const std::string& key) {
    if (T* value = find<T>(key)) return *value;
    return std::get<T>(entries_[key].emplace(T()));
  }
  Value* any(const std::string& key);
  void put(const std::string& key, Value value);  // keeps the expiry
  bool erase(const std::string& key);
  template <typename T>
  void erase_if_empty(const std::string& key) {
    const T* value = find<T>(key);
    if (value != nullptr && value->empty()) erase(key);
  }

  std::optional<Time> expiry(const std::string& key);
  void set_expiry(const std::string& key, std::optional<Time> at);

  std::vector<std::string> keys();  // sorted

 private:
  struct Entry {
    Value value;
    std::optional<Time> expires;

    Value& emplace(Value fresh) { return value = std::move(fresh); }
  };
  using Entries = std::map<std::string, Entry>;

  template <typename T>
  static T& as(Value& value) {
    if (T* typed = std::get_if<T>(&value)) return *typed;
    throw ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value");
  }
  Entries::iterator living(const std::string& key);

  std::function<Time()> now_;
  Entries entries_;
};

}  // namespace subito::testing
