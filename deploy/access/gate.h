// Gate: says who asks: the owner over the Unix socket, or whoever bears a token. What they may do
// is asked of the Identity. Owned by the node, on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/access/failures.h"
#include "deploy/access/scopes.h"
#include "deploy/access/token_book.h"
#include "runtime/base/time.h"
#include "runtime/http/message.h"
#include "runtime/server/peer.h"

namespace subito::access {

struct Identity {
  bool owner = false;   // of the node: may do everything
  std::string subject;  // the token's name; of the owner none
  std::vector<Scope> scopes;
  std::int64_t expires_unix_ns = 0;  // 0: never
  std::string token_id = "";         // of the owner none

  bool may(Verb verb, std::string_view name_space) const {
    return owner || allow(scopes, verb, name_space);
  }
  bool may_anywhere(Verb verb) const { return owner || allow_anywhere(scopes, verb); }
};

struct Refusal {
  int status = 401;
  std::string type;  // "unauthorized", "forbidden", "too-many-failures"
  std::string detail;
  http::Fields fields;  // WWW-Authenticate, Retry-After
  // For the audit log alone: which part is wrong, and whose token it is if that is known.
  std::string why;
  std::string subject;
};

// Overwrites what was shown, once it was asked for, so that it does not stay in memory.
void wipe_tokens(http::Fields& fields);

Refusal unauthorized(std::string why);
// Of somebody who is known, but may not. `where`: a namespace, "*" or empty (any would do).
Refusal forbidden(const Identity& who, Verb needed, std::string_view where);

// "token ci", "uid 0", "nobody".
std::string actor_words(const Identity& who, const server::Peer& peer);
// "192.0.2.7", or "pid 4711 (subito)" of a Unix socket.
std::string place_words(const server::Peer& peer);

class Gate {
 public:
  // Book and clock outlive it.
  Gate(TokenBook& tokens, const Clock& clock, std::function<std::int64_t()> unix_now)
      : tokens_(tokens), clock_(clock), unix_now_(std::move(unix_now)) {}

  // By the token in `fields`, and by that alone.
  tl::expected<Identity, Refusal> identify(const http::Fields& fields, const server::Peer& peer);
  // Of a Unix socket: root and the node's own user own it, unless they show credentials: then these
  // alone say what they may. Anybody else needs a token there too. `for_function`: what is no
  // token of a node may be meant for the function that is called, and does not count.
  tl::expected<Identity, Refusal> identify_local(const http::Fields& fields,
                                                 const server::Peer& peer,
                                                 bool for_function = false);
  // Of whoever was identified a while ago: what they may now.
  tl::expected<Identity, Refusal> identify_again(const Identity& who) const;
  // Whether a token that was right is neither revoked nor expired since, nor has lost a scope.
  bool still_right(const Identity& who) const {
    return who.token_id.empty() || tokens_.is_good(who.token_id, who.scopes, unix_now_());
  }
  TokenBook& tokens() { return tokens_; }
  std::int64_t unix_now() const { return unix_now_(); }

 private:
  TokenBook& tokens_;
  const Clock& clock_;
  std::function<std::int64_t()> unix_now_;
  Failures failures_;
};

}  // namespace subito::access
