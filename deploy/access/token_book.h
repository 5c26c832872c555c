// TokenBook: the tokens of a node, by id, in memory as in the store. Owned by the node, on the
// loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "deploy/access/scopes.h"
#include "deploy/store/tokens.h"
#include "runtime/base/result.h"

namespace subito::access {

// That are neither revoked nor expired. An expired one keeps its name until another needs it.
inline constexpr std::size_t kTokensMax = 1000;

struct Token {
  std::string id;
  std::string name;
  std::string hash;
  std::vector<Scope> scopes;
  std::int64_t created_unix_ns = 0;
  std::string created_by;
  std::int64_t expires_unix_ns = 0;    // 0: never
  std::int64_t revoked_unix_ns = 0;    // 0: it lives
  std::int64_t last_used_unix_ns = 0;  // since the node started; 0: not

  bool expired(std::int64_t now_unix_ns) const {
    return expires_unix_ns != 0 && expires_unix_ns <= now_unix_ns;
  }
};

// Tokens of a namespace that went, by name.
struct CutTokens {
  std::vector<std::string> revoked;   // they had no scope elsewhere
  std::vector<std::string> narrowed;  // they keep their other scopes
};

class TokenBook {
 public:
  // Takes over what the store has; it outlives the book.
  static Result<TokenBook> load(store::Store& store);

  enum class Verdict : std::uint8_t { kGood, kUnknown, kRevoked, kExpired };
  struct Finding {
    Verdict verdict = Verdict::kUnknown;
    const Token* token = nullptr;  // null: unknown
  };
  // Revoked and expired are only said of a token that is right otherwise.
  Finding check(std::string_view text, std::int64_t now_unix_ns);

  // Returns the token, which cannot be had again. `lifetime_ns` 0: it does not expire.
  // kInvalidArgument, kAlreadyExists, kResourceExhausted.
  Result<std::string> create(const std::string& name, const std::vector<Scope>& scopes,
                             std::int64_t lifetime_ns, const std::string& by,
                             std::int64_t now_unix_ns);
  Status revoke(std::string_view name, std::int64_t now_unix_ns);  // kNotFound

  // No token has a scope of that namespace any more: whoever makes it again has let nobody in.
  // `commit` is given what writes that, and commits it together with the end of the namespace.
  using Commit = std::function<Status(const std::function<Status()>& write)>;
  Result<CutTokens> forget_namespace(std::string_view name_space, std::int64_t now_unix_ns,
                                     const Commit& commit);

  // It is neither revoked nor expired, and has each of these scopes still.
  bool is_good(const std::string& id, const std::vector<Scope>& scopes,
               std::int64_t now_unix_ns) const;
  // The same of one that check() found before: what became of it since.
  Finding look_again(const std::string& id, std::int64_t now_unix_ns) const;
  const Token* find(std::string_view name) const;  // that is not revoked; null: none
  std::vector<Token> living() const;               // by name; expired ones too

 private:
  explicit TokenBook(store::Store& store) : table_(store) {}
  Status make_room(const std::string& name, std::int64_t now_unix_ns);
  void forget_oldest_revoked();

  store::TokenTable table_;
  std::unordered_map<std::string, Token> by_id_;
  std::map<std::string, std::string, std::less<>> ids_;  // of those not revoked, by name
};

}  // namespace subito::access
