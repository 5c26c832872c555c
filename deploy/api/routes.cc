#include "deploy/api/routes.h"

#include <algorithm>

#include "deploy/manifest/suggest.h"
#include "runtime/http/path.h"

namespace subito::api {

namespace {

// Takes what stands in front of the next '/' or the end, without the '/'.
std::string_view take_segment(std::string_view& path) {
  const std::size_t slash = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return segment;
}

bool matches(std::string_view pattern, std::string_view path, Parameters& parameters) {
  const auto slashes = [](std::string_view text) {
    return std::count(text.begin(), text.end(), '/');
  };
  if (slashes(pattern) != slashes(path)) return false;
  while (!pattern.empty()) {
    const std::string_view want = take_segment(pattern);
    const std::string_view have = take_segment(path);
    if (want.empty() || want.front() != '{') {
      if (want != have) return false;
      continue;
    }
    auto value = http::percent_decode(have);
    if (!value || value->empty()) return false;
    parameters[std::string(want.substr(1, want.size() - 2))] = std::move(*value);
  }
  return true;
}

std::vector<Route> routes_of_functions() {
  return {
      {"GET",
       "/v1/functions",
       Operation::kListFunctions,
       {"selector", "namespace", "allNamespaces"}},
      {"GET", "/v1/functions/{name}", Operation::kGetFunction, {}},
      {"GET", "/v1/functions/{name}/health", Operation::kFunctionHealth, {}},
      {"DELETE", "/v1/functions/{name}", Operation::kRemoveFunction, {}},
      {"POST", "/v1/functions/{name}/deploy", Operation::kDeploy, {}},
      {"PUT", "/v1/functions/{name}/scale", Operation::kScale, {}},
      {"GET", "/v1/functions/{name}/revisions", Operation::kListRevisions, {}},
      {"GET", "/v1/functions/{name}/revisions/{number}", Operation::kGetRevision, {}},
      {"GET", "/v1/functions/{name}/rollout", Operation::kGetRollout, {}},
      {"POST", "/v1/functions/{name}/rollout/pause", Operation::kPauseRollout, {}},
      {"POST", "/v1/functions/{name}/rollout/resume", Operation::kResumeRollout, {}},
      {"POST", "/v1/functions/{name}/rollout/undo", Operation::kUndoRollout, {}},
      {"PUT", "/v1/functions/{name}/traffic", Operation::kSetTraffic, {}},
      {"GET",
       "/v1/functions/{name}/logs",
       Operation::kLogs,
       {"tail", "since", "previous", "follow"}},
      {"GET", "/v1/functions/{name}/requests", Operation::kFollowRequests, {}},
      {"GET", "/v1/functions/{name}/dead-letters", Operation::kListDeadLetters, {"trigger"}},
      {"POST", "/v1/functions/{name}/dead-letters/replay", Operation::kReplayDeadLetters, {}},
      {"POST", "/v1/functions/{name}/dead-letters/delete", Operation::kDeleteDeadLetters, {}},
  };
}

std::vector<Route> routes_of_the_rest() {
  return {
      {"GET", "/v1/healthz", Operation::kHealth, {}},
      {"GET", "/v1/readyz", Operation::kReady, {}},
      {"GET", "/v1/version", Operation::kVersion, {}},
      {"GET",
       "/v1/logs",
       Operation::kSelectedLogs,
       {"selector", "namespace", "allNamespaces", "tail", "since", "follow"}},
      {"GET",
       "/v1/exceptions",
       Operation::kListExceptions,
       {"function", "selector", "namespace", "allNamespaces"}},
      {"GET",
       "/v1/pods",
       Operation::kListPods,
       {"function", "selector", "namespace", "allNamespaces"}},
      {"GET",
       "/v1/events/watch",
       Operation::kWatchEvents,
       {"function", "selector", "namespace", "allNamespaces"}},
      {"GET", "/v1/namespaces", Operation::kListNamespaces, {}},
      {"POST", "/v1/namespaces", Operation::kCreateNamespace, {}},
      {"GET", "/v1/namespaces/{namespace}", Operation::kGetNamespace, {}},
      {"PUT", "/v1/namespaces/{namespace}", Operation::kSetNamespace, {}},
      {"DELETE", "/v1/namespaces/{namespace}", Operation::kDeleteNamespace, {"all"}},
      {"GET", "/v1/artefacts/{sha256}", Operation::kFindArtefact, {}},
      {"PUT", "/v1/artefacts/{sha256}", Operation::kPutArtefact, {}},
      {"GET", "/v1/configs", Operation::kListConfigs, {"namespace", "allNamespaces"}},
      {"GET", "/v1/configs/{name}", Operation::kGetConfig, {}},
      {"PATCH", "/v1/configs/{name}", Operation::kChangeConfig, {}},
      {"DELETE", "/v1/configs/{name}", Operation::kDeleteConfig, {"force"}},
      {"GET", "/v1/secrets", Operation::kListSecrets, {"namespace", "allNamespaces"}},
      {"GET", "/v1/secrets/{name}", Operation::kGetSecret, {}},
      {"PUT", "/v1/secrets/{name}/{key}", Operation::kSetSecret, {}},
      {"DELETE", "/v1/secrets/{name}", Operation::kDeleteSecret, {"force"}},
      {"DELETE", "/v1/secrets/{name}/{key}", Operation::kDeleteSecretKey, {}},
      {"POST", "/v1/secret-key/rotate", Operation::kRotateSecretKey, {}},
      {"GET", "/v1/whoami", Operation::kWhoAmI, {}},
      {"GET", "/v1/tokens", Operation::kListTokens, {}},
      {"POST", "/v1/tokens", Operation::kCreateToken, {}},
      {"DELETE", "/v1/tokens/{name}", Operation::kRevokeToken, {}},
      {"GET", "/v1/audit", Operation::kAudit, {"since", "tail", "follow"}},
  };
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> kRoutes = [] {
    std::vector<Route> all = routes_of_functions();
    const std::vector<Route> rest = routes_of_the_rest();
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }();
  return kRoutes;
}

Match match_route(std::string_view method, std::string_view path) {
  Match match;
  for (const Route& route : routes()) {
    Parameters parameters;
    if (!matches(route.pattern, path, parameters)) continue;
    if (route.method == method) return {&route, std::move(parameters), ""};
    match.allow += (match.allow.empty() ? "" : ", ") + std::string(route.method);
  }
  return match;
}

Result<Parameters> parse_query(std::string_view query, const std::vector<std::string>& known) {
  Parameters parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = http::percent_decode(pair.substr(0, equals));
    const auto value = http::percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value)
      return fail(ErrorCode::kInvalidArgument, "read query: it has a bad escape");
    if (std::find(known.begin(), known.end(), *name) == known.end())
      return fail(ErrorCode::kInvalidArgument, "read query: there is no parameter '" + *name + "'" +
                                                   manifest::did_you_mean(*name, known));
    if (!parameters.emplace(*name, *value).second)
      return fail(ErrorCode::kInvalidArgument, "read query: '" + *name + "' is there twice");
  }
  return parameters;
}

}  // namespace subito::api
