#include "deploy/store/tokens.h"

#include <utility>

namespace subito::store {

Result<std::vector<TokenRecord>> TokenTable::all() {
  ASSIGN_OR_RETURN(Statement rows,
                   database_.prepare("SELECT id, name, hash, scopes, created_ns, created_by, "
                                     "expires_ns, revoked_ns FROM tokens ORDER BY name, id"));
  std::vector<TokenRecord> tokens;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return tokens;
    tokens.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.integer(4),
                      rows.text(5), rows.integer(6), rows.integer(7)});
  }
}

Status TokenTable::add(const TokenRecord& token) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  {
    ASSIGN_OR_RETURN(Statement taken, database_.prepare("SELECT 1 FROM tokens WHERE name = ? AND "
                                                        "revoked_ns = 0"));
    ASSIGN_OR_RETURN(const bool there, taken.bind(token.name).step());
    if (there)
      return fail(ErrorCode::kAlreadyExists, "create token " + token.name +
                                                 ": there is one of that name; revoke it first: "
                                                 "subito token revoke " +
                                                 token.name);
  }
  RETURN_IF_ERROR(database_.run("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)", token.id,
                                token.name, token.hash, token.scopes, token.created_unix_ns,
                                token.created_by, token.expires_unix_ns, token.revoked_unix_ns));
  return transaction.commit();
}

Status TokenTable::revoke(std::string_view id, std::int64_t now_unix_ns) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  RETURN_IF_ERROR(database_.run("UPDATE tokens SET revoked_ns = ? WHERE id = ? AND revoked_ns = 0",
                                now_unix_ns, id));
  if (database_.changes() == 0) return fail(ErrorCode::kNotFound, "revoke token: there is none");
  RETURN_IF_ERROR(forget_oldest_revoked());
  return transaction.commit();
}

Status TokenTable::cut(const std::vector<TokenCut>& cuts, std::int64_t now_unix_ns) {
  for (const TokenCut& one : cuts) {
    if (one.scopes.empty()) {
      RETURN_IF_ERROR(
          database_.run("UPDATE tokens SET revoked_ns = ? WHERE id = ?", now_unix_ns, one.id));
    } else {
      RETURN_IF_ERROR(
          database_.run("UPDATE tokens SET scopes = ? WHERE id = ?", one.scopes, one.id));
    }
  }
  return forget_oldest_revoked();
}

Status TokenTable::forget_oldest_revoked() {
  return database_.run(
      "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE revoked_ns > 0 "
      "ORDER BY revoked_ns DESC LIMIT -1 OFFSET ?)",
      std::int64_t{kRevokedTokensKept});
}

}  // namespace subito::store
