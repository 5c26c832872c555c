#include "deploy/access/scopes.h"

#include <algorithm>
#include <array>

#include "deploy/manifest/rules.h"
#include "deploy/manifest/suggest.h"

namespace subito::access {
namespace {

constexpr std::array<std::string_view, 4> kVerbs = {"read", "invoke", "deploy", "admin"};

bool includes(Verb has, Verb wanted) {
  switch (has) {
    case Verb::kAdmin:
      return true;
    case Verb::kDeploy:
      return wanted != Verb::kAdmin;
    case Verb::kRead:
    case Verb::kInvoke:
      return has == wanted;
  }
  return false;
}

}  // namespace

std::string_view to_string(Verb verb) {
  return kVerbs[static_cast<std::size_t>(verb)];
}

Result<Scope> parse_scope(std::string_view text) {
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "read scope '" + std::string(text) + "': " + what);
  };
  const std::size_t colon = text.find(':');
  if (colon == text.npos)
    return wrong("it is NAMESPACE:VERB, like default:deploy; '*' is all namespaces");
  const std::string name_space(text.substr(0, colon)), word(text.substr(colon + 1));
  if (name_space != kAllNamespaces && manifest::check_name(name_space))
    return wrong("a namespace is lower-case letters, digits and '-', or '*' for all");
  const auto* const verb = std::find(kVerbs.begin(), kVerbs.end(), word);
  if (verb == kVerbs.end())
    return wrong("there are read, invoke, deploy and admin" +
                 manifest::did_you_mean(word, {kVerbs.begin(), kVerbs.end()}));
  return Scope{name_space, static_cast<Verb>(verb - kVerbs.begin())};
}

std::string to_string(const Scope& scope) {
  return scope.name_space + ":" + std::string(to_string(scope.verb));
}

std::string to_string(const std::vector<Scope>& scopes) {
  std::string text;
  for (const Scope& scope : scopes) text += (text.empty() ? "" : " ") + to_string(scope);
  return text;
}

Result<std::vector<Scope>> parse_scopes(std::string_view text) {
  std::vector<Scope> scopes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    ASSIGN_OR_RETURN(Scope scope, parse_scope(text.substr(0, end)));
    scopes.push_back(std::move(scope));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scopes;
}

bool allow(const std::vector<Scope>& scopes, Verb verb, std::string_view name_space) {
  return std::any_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
    return includes(scope.verb, verb) &&
           (scope.name_space == kAllNamespaces || scope.name_space == name_space);
  });
}

bool allow_anywhere(const std::vector<Scope>& scopes, Verb verb) {
  return std::any_of(scopes.begin(), scopes.end(),
                     [&](const Scope& scope) { return includes(scope.verb, verb); });
}

}  // namespace subito::access
