#include "deploy/access/gate.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "deploy/access/token.h"
#include "runtime/base/secret_memory.h"
#include "runtime/base/unique_fd.h"

namespace subito::access {
namespace {

constexpr std::string_view kTokenField = "authorization";
constexpr std::string_view kScheme = "bearer ";

// What stands behind "Bearer "; empty: it does not begin so.
std::string_view behind_scheme(std::string_view value) {
  const bool is_bearer =
      value.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), value.begin(),
                 [](char a, char b) { return a == b || a == static_cast<char>(b + 32); });
  return is_bearer ? value.substr(kScheme.size()) : std::string_view();
}

// The token of the request; nothing: no such field, or more than one.
std::optional<std::string_view> bearer_of(const http::Fields& fields, bool& malformed) {
  std::optional<std::string_view> token;
  for (const auto& [name, value] : fields) {
    if (name != kTokenField) continue;
    const std::string_view shown = behind_scheme(value);
    malformed = malformed || token || shown.empty();
    token = shown;
  }
  return token;
}

// Of a node, good or not, however it was quoted; with `any` whatever credentials there are.
bool shows_token(const http::Fields& fields, bool any) {
  return std::any_of(fields.begin(), fields.end(), [any](const auto& field) {
    return field.first == kTokenField &&
           (any || field.second.find(kTokenPrefix) != std::string::npos);
  });
}

std::string command_of(pid_t pid) {
  const UniqueFd file(
      ::open(("/proc/" + std::to_string(pid) + "/comm").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const ssize_t size = file.valid() ? ::read(file.get(), text.data(), text.size()) : 0;
  std::string name(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  name.resize(std::min(name.find('\n'), name.size()));
  return name;
}

Identity identity_of(const Token& token) {
  Identity who;
  who.subject = token.name;
  who.scopes = token.scopes;
  who.expires_unix_ns = token.expires_unix_ns;
  who.token_id = token.id;
  return who;
}

// Of a token that is not good.
Refusal refusal_of(const TokenBook::Finding& found) {
  const bool revoked = found.verdict == TokenBook::Verdict::kRevoked;
  Refusal refusal = unauthorized(found.token == nullptr ? "unknown token"
                                 : revoked              ? "revoked token"
                                                        : "expired token");
  if (found.token != nullptr) refusal.subject = found.token->name;
  return refusal;
}

}  // namespace

void wipe_tokens(http::Fields& fields) {
  wipe_values(fields, kTokenField);
}

Refusal unauthorized(std::string why) {
  Refusal refusal;
  refusal.type = "unauthorized";
  refusal.detail =
      "this needs a token that is valid: Authorization: Bearer TOKEN; an administrator makes one "
      "by "
      "`subito token create`";
  // RFC 6750, section 3: `error` only when a token was shown.
  refusal.fields.emplace_back(
      "www-authenticate", why == "no token" ? R"(Bearer realm="subito")"
                                            : R"(Bearer realm="subito", error="invalid_token")");
  refusal.why = std::move(why);
  return refusal;
}

Refusal forbidden(const Identity& who, Verb needed, std::string_view where) {
  Refusal refusal;
  const std::string verb(to_string(needed));
  refusal.status = 403;
  refusal.type = "forbidden";
  refusal.detail = "token " + who.subject + " may not do this: it needs scope " +
                   (where.empty() ? verb + " of some namespace" : std::string(where) + ":" + verb) +
                   ", and has " + to_string(who.scopes);
  refusal.fields.emplace_back("www-authenticate",
                              R"(Bearer realm="subito", error="insufficient_scope")");
  refusal.why = "scope";
  refusal.subject = who.subject;
  return refusal;
}

std::string actor_words(const Identity& who, const server::Peer& peer) {
  if (!who.subject.empty()) return "token " + who.subject;
  if (peer.process) return "uid " + std::to_string(peer.process->uid);
  return "nobody";
}

std::string place_words(const server::Peer& peer) {
  if (!peer.process) return peer.address;
  const std::string command = command_of(peer.process->pid);
  return "pid " + std::to_string(peer.process->pid) + (command.empty() ? "" : " (" + command + ")");
}

tl::expected<Identity, Refusal> Gate::identify(const http::Fields& fields,
                                               const server::Peer& peer) {
  bool malformed = false;
  const auto text = bearer_of(fields, malformed);
  if (!text) return tl::unexpected<Refusal>(unauthorized("no token"));
  // What is no token of ours may be meant for a function, or for a proxy before us: it guesses
  // nothing.
  if (malformed) return tl::unexpected<Refusal>(unauthorized("malformed authorization"));
  const TokenBook::Finding found = tokens_.check(*text, unix_now_());
  if (found.verdict == TokenBook::Verdict::kGood) return identity_of(*found.token);
  if (const auto wait = failures_.wait_of(peer.address, clock_.now())) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    Refusal refusal{
        429,
        "too-many-failures",
        "too many wrong tokens came from this address: wait " + std::to_string(seconds) + " s",
        {{"retry-after", std::to_string(seconds)}},
        "too many failures",
        {}};
    return tl::unexpected<Refusal>(std::move(refusal));
  }
  // A token that was right once is somebody's mistake, not a guess.
  if (found.token == nullptr) failures_.failed(peer.address, clock_.now());
  return tl::unexpected<Refusal>(refusal_of(found));
}

tl::expected<Identity, Refusal> Gate::identify_again(const Identity& who) const {
  if (who.token_id.empty()) return who;
  const TokenBook::Finding found = tokens_.look_again(who.token_id, unix_now_());
  if (found.verdict == TokenBook::Verdict::kGood) return identity_of(*found.token);
  Refusal refusal = refusal_of(found);
  refusal.subject = who.subject;  // of one that was revoked so long ago that it is forgotten, too
  return tl::unexpected<Refusal>(std::move(refusal));
}

tl::expected<Identity, Refusal> Gate::identify_local(const http::Fields& fields,
                                                     const server::Peer& peer, bool for_function) {
  const bool owns = peer.process && (peer.process->uid == 0 || peer.process->uid == ::geteuid());
  if (!owns) return identify(fields, peer);
  if (!shows_token(fields, !for_function)) {
    Identity owner;
    owner.owner = true;
    return owner;
  }
  auto who = identify(fields, peer);
  if (!who && who.error().status == 401)
    who.error().detail =
        "the token that was shown is not valid here; over this socket you own the node without "
        "one: "
        "unset SUBITO_TOKEN";
  return who;
}

}  // namespace subito::access
