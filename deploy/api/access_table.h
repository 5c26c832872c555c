// What each operation needs: the scope, and where its namespace is told. The only place that says
// so; openapi.yaml repeats it (x-subito-scope, x-subito-where), and a test tries every operation
// with every scope. An operation without a row needs admin of the node. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/access/scopes.h"
#include "deploy/api/routes.h"

namespace subito::api {

enum class Where : std::uint8_t {
  kToken,      // any token that is valid, whatever its scopes
  kFunction,   // the qualified name {name} of the path
  kNamespace,  // {namespace} of the path, or the query: namespace, allNamespaces, function
  kAnywhere,   // any namespace will do: what is asked for belongs to none
  kNode,       // all namespaces: it is the node's
};

struct Need {
  access::Verb verb = access::Verb::kAdmin;
  Where where = Where::kNode;
  std::string_view action = "unknown";  // in the audit log
  bool changes = true;                  // goes to the audit log when it is allowed, too
};

bool has_need(Operation operation);
Need need_of(Operation operation);

// The namespaces that a request touches, "*" for all and for the node. Empty: none is asked for.
std::vector<std::string> namespaces_of(const Need& need, const Parameters& path,
                                       const Parameters& query);

}  // namespace subito::api
