#include "runtime/bindings/redis_users.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "runtime/base/check.h"

namespace subito::bindings {
namespace {

// ACL rules are separated by blanks and cannot be quoted.
bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// A prefix is taken literally, in a pattern too.
std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]^-\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// Of fixed size at the end: no two functions share a name. FNV-1a, the same in every node, so that
// two nodes on one Redis mean the same rights by the same name.
std::string user_name(std::string_view function, std::string_view key_prefix) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key_prefix) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return "subito-fn-" + std::string(function) + "-" + digits;
}

}  // namespace

std::string random_password() {
  std::array<unsigned char, 16> bytes;
  // Up to 256 bytes come whole once the kernel has entropy (getrandom(2)).
  CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

RedisCommand RedisUser::login() const {
  return {"AUTH", name, password};
}

RedisCommand RedisUser::make() const {
  const std::string pattern = escape_pattern(key_prefix) + "*";
  return {"ACL", "SETUSER", name, "reset", "on", ">" + password, "~" + pattern, "&" + pattern,
          "+@all", "-@admin", "-@dangerous",
          // What looks beyond the prefix because it names no key.
          "-scan", "-randomkey", "-dbsize", "-select", "-pubsub", "-memory", "-client|tracking",
          "-client|caching", "-function", "-script", "+script|load", "+script|exists"};
}

Result<RedisUser*> RedisUsers::of(std::string_view function, std::string_view key_prefix) {
  if (function.empty() || !printable(function)) {
    return fail(ErrorCode::kInvalidArgument, "make Redis user: not a function name");
  }
  if (key_prefix.empty() || key_prefix.size() > kPrefixBytesMax || !printable(key_prefix)) {
    return fail(ErrorCode::kInvalidArgument,
                "make Redis user of " + std::string(function) +
                    ": a key prefix is 1 to 176 printable characters without blanks");
  }
  if (RedisUser* known = find(function, key_prefix)) return known;
  if (users_.size() >= kUsersMax) {
    return fail(ErrorCode::kResourceExhausted,
                "make Redis user of " + std::string(function) + ": there are 4096 already");
  }
  RedisUser user{user_name(function, key_prefix), std::string(key_prefix), random_password(),
                 false};
  Key key{std::string(function), std::string(key_prefix)};
  return &users_.emplace(std::move(key), std::move(user)).first->second;
}

RedisUser* RedisUsers::find(std::string_view function, std::string_view key_prefix) {
  const auto found = users_.find(Key{std::string(function), std::string(key_prefix)});
  return found == users_.end() ? nullptr : &found->second;
}

void RedisUsers::remove(std::string_view function) {
  std::erase_if(users_, [&](const auto& user) { return user.first.first == function; });
}

void RedisUsers::forget_made() {
  for (auto& [key, user] : users_) user.made = false;
}

}  // namespace subito::bindings
