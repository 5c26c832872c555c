#include "deploy/api/access_table.h"

#include <algorithm>
#include <iterator>

#include "deploy/manifest/qualified_name.h"

namespace subito::api {
namespace {

using access::Verb;

struct Row {
  Operation operation;
  Need need;
};

constexpr bool kReads = false;
constexpr bool kChanges = true;

constexpr Row kRows[] = {
    {Operation::kHealth, {Verb::kRead, Where::kToken, "health", kReads}},
    {Operation::kReady, {Verb::kRead, Where::kToken, "ready", kReads}},
    {Operation::kFunctionHealth, {Verb::kRead, Where::kFunction, "health", kReads}},
    {Operation::kVersion, {Verb::kRead, Where::kToken, "version", kReads}},
    {Operation::kWhoAmI, {Verb::kRead, Where::kToken, "whoami", kReads}},
    {Operation::kListFunctions, {Verb::kRead, Where::kNamespace, "list", kReads}},
    {Operation::kGetFunction, {Verb::kRead, Where::kFunction, "get", kReads}},
    {Operation::kRemoveFunction, {Verb::kDeploy, Where::kFunction, "delete", kChanges}},
    {Operation::kDeploy, {Verb::kDeploy, Where::kFunction, "deploy", kChanges}},
    {Operation::kScale, {Verb::kDeploy, Where::kFunction, "scale", kChanges}},
    {Operation::kListRevisions, {Verb::kRead, Where::kFunction, "revisions", kReads}},
    {Operation::kGetRevision, {Verb::kRead, Where::kFunction, "revision", kReads}},
    {Operation::kGetRollout, {Verb::kRead, Where::kFunction, "rollout", kReads}},
    {Operation::kPauseRollout, {Verb::kDeploy, Where::kFunction, "rollout.pause", kChanges}},
    {Operation::kResumeRollout, {Verb::kDeploy, Where::kFunction, "rollout.resume", kChanges}},
    {Operation::kUndoRollout, {Verb::kDeploy, Where::kFunction, "rollout.undo", kChanges}},
    {Operation::kSetTraffic, {Verb::kDeploy, Where::kFunction, "traffic.set", kChanges}},
    {Operation::kLogs, {Verb::kRead, Where::kFunction, "logs", kReads}},
    {Operation::kSelectedLogs, {Verb::kRead, Where::kNamespace, "logs", kReads}},
    {Operation::kListExceptions, {Verb::kRead, Where::kNamespace, "exceptions", kReads}},
    {Operation::kFollowRequests, {Verb::kRead, Where::kFunction, "requests", kReads}},
    {Operation::kListDeadLetters, {Verb::kRead, Where::kFunction, "dead-letters", kReads}},
    {Operation::kReplayDeadLetters,
     {Verb::kDeploy, Where::kFunction, "dead-letters.replay", kChanges}},
    {Operation::kDeleteDeadLetters,
     {Verb::kDeploy, Where::kFunction, "dead-letters.delete", kChanges}},
    {Operation::kListPods, {Verb::kRead, Where::kNamespace, "pods", kReads}},
    {Operation::kWatchEvents, {Verb::kRead, Where::kNamespace, "events", kReads}},
    {Operation::kFindArtefact, {Verb::kDeploy, Where::kAnywhere, "artefact", kReads}},
    {Operation::kPutArtefact, {Verb::kDeploy, Where::kAnywhere, "artefact.put", kChanges}},
    {Operation::kListConfigs, {Verb::kRead, Where::kNamespace, "configs", kReads}},
    {Operation::kGetConfig, {Verb::kRead, Where::kFunction, "config", kReads}},
    {Operation::kChangeConfig, {Verb::kDeploy, Where::kFunction, "config.set", kChanges}},
    {Operation::kDeleteConfig, {Verb::kDeploy, Where::kFunction, "config.delete", kChanges}},
    {Operation::kListSecrets, {Verb::kAdmin, Where::kNamespace, "secrets", kReads}},
    {Operation::kGetSecret, {Verb::kAdmin, Where::kFunction, "secret", kReads}},
    {Operation::kSetSecret, {Verb::kAdmin, Where::kFunction, "secret.set", kChanges}},
    {Operation::kDeleteSecret, {Verb::kAdmin, Where::kFunction, "secret.delete", kChanges}},
    {Operation::kDeleteSecretKey, {Verb::kAdmin, Where::kFunction, "secret.delete", kChanges}},
    {Operation::kRotateSecretKey, {Verb::kAdmin, Where::kNode, "secret-key.rotate", kChanges}},
    {Operation::kListTokens, {Verb::kAdmin, Where::kNode, "tokens", kReads}},
    {Operation::kCreateToken, {Verb::kAdmin, Where::kNode, "token.create", kChanges}},
    {Operation::kRevokeToken, {Verb::kAdmin, Where::kNode, "token.revoke", kChanges}},
    {Operation::kAudit, {Verb::kAdmin, Where::kNode, "audit", kReads}},
};

const Row* row_of(Operation operation) {
  const auto* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                       [&](const Row& one) { return one.operation == operation; });
  return row == std::end(kRows) ? nullptr : row;
}

std::string namespace_of(const std::string& qualified) {
  return manifest::split_qualified(qualified).name_space;
}

}  // namespace

bool has_need(Operation operation) {
  return row_of(operation) != nullptr;
}

Need need_of(Operation operation) {
  const Row* row = row_of(operation);
  return row == nullptr ? Need() : row->need;
}

std::vector<std::string> namespaces_of(const Need& need, const Parameters& path,
                                       const Parameters& query) {
  const std::string all(access::kAllNamespaces);
  switch (need.where) {
    case Where::kToken:
    case Where::kAnywhere:
      return {};
    case Where::kNode:
      return {all};
    case Where::kFunction:
      if (const auto name = path.find("name"); name != path.end())
        return {namespace_of(name->second)};
      return {all};
    case Where::kNamespace:
      break;
  }
  if (const auto named = path.find("namespace"); named != path.end()) return {named->second};
  if (const auto every = query.find("allNamespaces");
      every != query.end() && every->second != "false")
    return {all};
  const auto named = query.find("namespace"), function = query.find("function");
  std::vector<std::string> touched;
  if (named != query.end()) touched.push_back(named->second);
  if (function != query.end()) touched.push_back(namespace_of(function->second));
  if (touched.empty()) touched.emplace_back(manifest::kNamespace);
  return touched;
}

}  // namespace subito::api
