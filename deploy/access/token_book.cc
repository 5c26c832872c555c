#include "deploy/access/token_book.h"

#include <algorithm>
#include <utility>

#include "deploy/access/token.h"
#include "deploy/manifest/rules.h"

namespace subito::access {

Result<TokenBook> TokenBook::load(store::Store& store) {
  TokenBook book(store);
  ASSIGN_OR_RETURN(const auto records, book.table_.all());
  for (const store::TokenRecord& record : records) {
    ASSIGN_OR_RETURN(std::vector<Scope> scopes, parse_scopes(record.scopes));
    if (record.revoked_unix_ns == 0) book.ids_[record.name] = record.id;
    book.by_id_[record.id] = {record.id,
                              record.name,
                              record.hash,
                              std::move(scopes),
                              record.created_unix_ns,
                              record.created_by,
                              record.expires_unix_ns,
                              record.revoked_unix_ns,
                              0};
  }
  return book;
}

TokenBook::Finding TokenBook::check(std::string_view text, std::int64_t now_unix_ns) {
  const auto id = token_id(text);
  if (!id) return {};
  const auto found = by_id_.find(*id);
  if (found == by_id_.end() || !is_hash_of(found->second.hash, text)) return {};
  const Finding finding = look_again(*id, now_unix_ns);
  if (finding.verdict == Verdict::kGood) found->second.last_used_unix_ns = now_unix_ns;
  return finding;
}

TokenBook::Finding TokenBook::look_again(const std::string& id, std::int64_t now_unix_ns) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  const Token& token = found->second;
  if (token.revoked_unix_ns != 0) return {Verdict::kRevoked, &token};
  if (token.expired(now_unix_ns)) return {Verdict::kExpired, &token};
  return {Verdict::kGood, &token};
}

Result<std::string> TokenBook::create(const std::string& name, const std::vector<Scope>& scopes,
                                      std::int64_t lifetime_ns, const std::string& by,
                                      std::int64_t now_unix_ns) {
  const auto refuse = [&](ErrorCode code, const std::string& why) {
    return fail(code, "create token: " + why);
  };
  if (const auto wrong = manifest::check_name(name))
    return refuse(ErrorCode::kInvalidArgument, "the name " + *wrong);
  if (scopes.empty() || scopes.size() > kScopesMax)
    return refuse(ErrorCode::kInvalidArgument,
                  "it needs 1 to " + std::to_string(kScopesMax) + " scopes");
  RETURN_IF_ERROR(make_room(name, now_unix_ns));
  if (ids_.size() >= kTokensMax)
    return refuse(ErrorCode::kResourceExhausted,
                  "there are " + std::to_string(kTokensMax) + " already; revoke some");
  ASSIGN_OR_RETURN(NewToken made, make_token());
  Token token{made.id,
              name,
              made.hash,
              scopes,
              now_unix_ns,
              by,
              lifetime_ns == 0 ? 0 : now_unix_ns + lifetime_ns,
              0,
              0};
  RETURN_IF_ERROR(table_.add({token.id, token.name, token.hash, to_string(token.scopes),
                              token.created_unix_ns, token.created_by, token.expires_unix_ns, 0}));
  ids_[name] = token.id;
  by_id_[token.id] = std::move(token);
  return made.text;
}

// Expired ones count as revoked once their name or their place is needed.
Status TokenBook::make_room(const std::string& name, std::int64_t now_unix_ns) {
  const bool full = ids_.size() >= kTokensMax;
  std::vector<std::string> expired;
  for (const auto& [other, id] : ids_) {
    if (by_id_.at(id).expired(now_unix_ns) && (full || other == name)) expired.push_back(other);
  }
  for (const std::string& other : expired) RETURN_IF_ERROR(revoke(other, now_unix_ns));
  return ok();
}

Result<CutTokens> TokenBook::forget_namespace(std::string_view name_space, std::int64_t now_unix_ns,
                                              const Commit& commit) {
  CutTokens cut;
  std::vector<store::TokenCut> rows;
  std::map<std::string, std::vector<Scope>> left_of;  // by id
  for (const auto& [name, id] : ids_) {
    std::vector<Scope> left = by_id_.at(id).scopes;
    const auto gone =
        std::erase_if(left, [&](const Scope& scope) { return scope.name_space == name_space; });
    if (gone == 0) continue;
    rows.push_back({id, to_string(left)});
    (left.empty() ? cut.revoked : cut.narrowed).push_back(name);
    left_of[id] = std::move(left);
  }
  RETURN_IF_ERROR(commit([&] { return rows.empty() ? ok() : table_.cut(rows, now_unix_ns); }));
  for (auto& [id, left] : left_of) {
    Token& token = by_id_.at(id);
    if (left.empty()) {
      token.revoked_unix_ns = now_unix_ns;
      ids_.erase(token.name);
    } else {
      token.scopes = std::move(left);
    }
  }
  for (std::size_t i = 0; i < cut.revoked.size(); ++i) forget_oldest_revoked();
  return cut;
}

// As the store does.
void TokenBook::forget_oldest_revoked() {
  if (by_id_.size() - ids_.size() <= std::size_t{store::kRevokedTokensKept}) return;
  auto oldest = by_id_.end();
  for (auto it = by_id_.begin(); it != by_id_.end(); ++it) {
    const std::int64_t revoked = it->second.revoked_unix_ns;
    if (revoked != 0 && (oldest == by_id_.end() || revoked < oldest->second.revoked_unix_ns))
      oldest = it;
  }
  if (oldest != by_id_.end()) by_id_.erase(oldest);
}

bool TokenBook::is_good(const std::string& id, const std::vector<Scope>& scopes,
                        std::int64_t now_unix_ns) const {
  const Finding found = look_again(id, now_unix_ns);
  if (found.verdict != Verdict::kGood) return false;
  const std::vector<Scope>& has = found.token->scopes;
  return std::all_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
    return std::find(has.begin(), has.end(), scope) != has.end();
  });
}

Status TokenBook::revoke(std::string_view name, std::int64_t now_unix_ns) {
  const auto id = ids_.find(name);
  if (id == ids_.end())
    return fail(ErrorCode::kNotFound, "revoke token " + std::string(name) +
                                          ": there is none; `subito token list` lists them");
  RETURN_IF_ERROR(table_.revoke(id->second, now_unix_ns));
  by_id_[id->second].revoked_unix_ns = now_unix_ns;
  ids_.erase(id);
  forget_oldest_revoked();
  return ok();
}

const Token* TokenBook::find(std::string_view name) const {
  const auto id = ids_.find(name);
  return id == ids_.end() ? nullptr : &by_id_.at(id->second);
}

std::vector<Token> TokenBook::living() const {
  std::vector<Token> tokens;
  for (const auto& [name, id] : ids_) tokens.push_back(by_id_.at(id));
  return tokens;
}

}  // namespace subito::access
