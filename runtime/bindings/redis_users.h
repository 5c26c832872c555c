// RedisUsers: one Redis ACL user for each function and key prefix, confined to the keys and
// channels of that prefix. Another prefix is another user: its rights would otherwise change under
// the connections that are in use.
//
// Decides what to say to Redis; says nothing itself (redis_dialer.h does). Owned by the
// RedisDialer, on its loop's thread. Passwords are random, made anew by every node, and live in its
// memory only. A user is made when its function first connects, and again when Redis has forgotten
// it (ACL users are not in the append-only file).
//
// What a function may do: all that is neither administration nor dangerous (KEYS, FLUSHALL, CONFIG,
// SORT...), and nothing that tells or changes what others do on the same server: no SCAN, DBSIZE,
// RANDOMKEY, SELECT, PUBSUB, FUNCTION, MEMORY, CLIENT TRACKING, SCRIPT FLUSH, KILL or DEBUG.
// Scripts (EVAL, EVALSHA) run with the rights of who calls them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/bindings/redis_conversation.h"

namespace subito::bindings {

// 32 hexadecimal digits from getrandom(2).
std::string random_password();

struct RedisUser {
  std::string name;  // "subito-fn-catalogue-", then 16 digits that tell the prefix
  std::string key_prefix;
  std::string password;
  bool made = false;  // Redis has it, as far as we know

  RedisCommand login() const;  // AUTH
  RedisCommand make() const;   // ACL SETUSER, from nothing: idempotent
};

class RedisUsers {
 public:
  static constexpr std::size_t kUsersMax = 4096;
  static constexpr std::size_t kPrefixBytesMax =
      176;  // 128 of a manifest, and a namespace in front

  // The user of a function and prefix, new or known. kInvalidArgument for a name or prefix that
  // Redis could not take, kResourceExhausted over kUsersMax. The pointer holds until remove().
  Result<RedisUser*> of(std::string_view function, std::string_view key_prefix);
  // Null when it was removed meanwhile.
  RedisUser* find(std::string_view function, std::string_view key_prefix);
  void remove(std::string_view function);  // with all its prefixes
  void forget_made();                      // Redis was restarted

 private:
  using Key = std::pair<std::string, std::string>;  // function, prefix
  std::map<Key, RedisUser> users_;
};

}  // namespace subito::bindings
