// Routes: methods and paths of the API to what answers them. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace subito::api {

enum class Operation : std::uint8_t {
  kHealth,
  kReady,
  kFunctionHealth,
  kVersion,
  kListFunctions,
  kGetFunction,
  kRemoveFunction,
  kDeploy,
  kScale,
  kListRevisions,
  kGetRevision,
  kGetRollout,
  kPauseRollout,
  kResumeRollout,
  kUndoRollout,
  kSetTraffic,
  kLogs,
  kSelectedLogs,
  kListExceptions,
  kFollowRequests,
  kListDeadLetters,
  kReplayDeadLetters,
  kDeleteDeadLetters,
  kListPods,
  kWatchEvents,
  kFindArtefact,
  kPutArtefact,
  kListConfigs,
  kGetConfig,
  kChangeConfig,
  kDeleteConfig,
  kListSecrets,
  kGetSecret,
  kSetSecret,
  kDeleteSecret,
  kDeleteSecretKey,
  kRotateSecretKey,
  kWhoAmI,
  kListTokens,
  kCreateToken,
  kRevokeToken,
  kAudit,
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/functions/{name}/scale"
  Operation operation;
  std::vector<std::string> query;  // the parameters it knows
};

using Parameters = std::map<std::string, std::string, std::less<>>;

struct Match {
  const Route* route = nullptr;  // null: `allow` says why
  Parameters path;
  std::string allow;  // methods of the path, "GET, PUT"; empty: no such path
};

const std::vector<Route>& routes();
Match match_route(std::string_view method, std::string_view path);

// "a=1&b=%20" decoded. kInvalidArgument for a bad escape, or a name that is not in `known` or
// twice.
Result<Parameters> parse_query(std::string_view query, const std::vector<std::string>& known);

}  // namespace subito::api
