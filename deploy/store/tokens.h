// TokenTable: the tokens of the control API as they are on disk: names, scopes, and hashes. Made by
// whoever owns the Store, beside it; same thread, same promises.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/store/store.h"

namespace subito::store {

struct TokenRecord {
  std::string id;      // public: it stands in the token
  std::string name;    // one living token has it
  std::string hash;    // of the whole token
  std::string scopes;  // "shop:deploy *:read"
  std::int64_t created_unix_ns = 0;
  std::string created_by;            // who made it, in words
  std::int64_t expires_unix_ns = 0;  // 0: never
  std::int64_t revoked_unix_ns = 0;  // 0: it lives
};

// What is left of a token.
struct TokenCut {
  std::string id;
  std::string scopes;  // empty: it is revoked
};

// Of revoked ones the newest so many stay known.
inline constexpr int kRevokedTokensKept = 1000;

class TokenTable {
 public:
  explicit TokenTable(Store& store) : database_(store.database()) {}

  Result<std::vector<TokenRecord>> all();  // by name; revoked ones too
  // kAlreadyExists when a living one has the name.
  Status add(const TokenRecord& token);
  Status revoke(std::string_view id, std::int64_t now_unix_ns);  // kNotFound
  // Within a transaction of the caller's.
  Status cut(const std::vector<TokenCut>& cuts, std::int64_t now_unix_ns);

 private:
  Status forget_oldest_revoked();

  Database& database_;
};

}  // namespace subito::store
