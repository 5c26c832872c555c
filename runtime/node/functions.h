// Functions: what is deployed on this node, by qualified name and by id, each with its current
// revision. Owned by the node, on the loop's thread; the store is the truth, this is its picture in
// memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/gateway/gateway.h"
#include "runtime/gateway/routes.h"
#include "runtime/node/namespaces.h"
#include "runtime/node/revision.h"

namespace subito::node {

struct DeployedFunction {
  FunctionId id;
  RevisionPtr revision;  // the current one
  std::int64_t created_unix_ns = 0;
  std::int64_t deployed_unix_ns = 0;
};

class Functions {
 public:
  // The id that the function has, or will have.
  FunctionId id_of(const std::string& name);
  Namespaces& namespaces() { return namespaces_; }
  const Namespaces& namespaces() const { return namespaces_; }

  // A lane for a revision that serves beside another one (rollouts.h).
  FunctionId next_lane() { return function_ids_.next(); }
  RevisionId next_revision_id() { return revision_ids_.next(); }

  // `created_unix_ns`: of the first revision; kept when the function is known.
  void put(RevisionPtr revision, std::int64_t created_unix_ns, std::int64_t deployed_unix_ns);
  void remove(std::string_view name);

  const DeployedFunction* find(std::string_view name) const;
  const std::map<std::string, DeployedFunction, std::less<>>& all() const { return functions_; }

  // The routes by which clients reach functions, as the ingress of each allows, with `candidate`
  // (may be null) in place of its current revision; those of a namespace by its hosts.
  // kAlreadyExists: two functions of one namespace claim one route.
  Result<gateway::Routes> routes(const Revision* candidate = nullptr) const;
  // Those that ask clients for a token, with their qualified names.
  gateway::Guarded guarded() const;
  // For an operator: every function by its name, whatever its ingress.
  gateway::Routes operator_routes() const;

 private:
  Namespaces namespaces_;
  std::map<std::string, DeployedFunction, std::less<>> functions_;
  std::map<std::string, FunctionId> ids_;
  IdSource<FunctionId> function_ids_;
  IdSource<RevisionId> revision_ids_;
};

}  // namespace subito::node
