// Scopes: what a token may do, and where. Pure.
//
//   read    look: list, describe, logs, events, metrics
//   invoke  call functions; nothing else
//   deploy  change functions: deploy, scale, roll out, delete. Includes read and invoke: whoever
//           may replace a function sees and calls it anyway.
//   admin   everything of the namespace; of all namespaces also tokens, audit and what is the
//   node's
//
// Each is of one namespace, or of all: "shop:deploy", "*:read".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace subito::access {

enum class Verb : std::uint8_t { kRead, kInvoke, kDeploy, kAdmin };
std::string_view to_string(Verb verb);

inline constexpr std::string_view kAllNamespaces = "*";
inline constexpr std::size_t kScopesMax = 32;  // of one token

struct Scope {
  std::string name_space;
  Verb verb = Verb::kRead;
  friend bool operator==(const Scope&, const Scope&) = default;
};

Result<Scope> parse_scope(std::string_view text);  // kInvalidArgument says what is wrong
std::string to_string(const Scope& scope);
// Of several, with a blank between them, and back.
std::string to_string(const std::vector<Scope>& scopes);
Result<std::vector<Scope>> parse_scopes(std::string_view text);

// `name_space` "*": in all of them, or of the node itself; only a scope of all allows that.
bool allow(const std::vector<Scope>& scopes, Verb verb, std::string_view name_space);
// In some namespace, whichever.
bool allow_anywhere(const std::vector<Scope>& scopes, Verb verb);

}  // namespace subito::access
