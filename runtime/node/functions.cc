#include "runtime/node/functions.h"

#include <utility>

#include "deploy/manifest/defaults.h"

namespace subito::node {
namespace {

Status add_routes(gateway::Routes& routes, const Revision& revision) {
  const manifest::Ingress ingress = revision.manifest.spec().ingress();
  if (ingress == manifest::ALL) routes.add_function(revision.name, revision.function);
  if (ingress == manifest::INTERNAL) return ok();
  const auto& all = revision.manifest.spec().routes();
  for (int i = 0; i < all.size(); ++i) {
    auto added =
        routes.add_route(all[i].path(), all[i].strip_prefix(), revision.name, revision.function);
    if (!added) {
      const std::string field = "spec.routes[" + std::to_string(i) + "].path";
      return std::move(added).error().annotate(field);
    }
  }
  return ok();
}

}  // namespace

FunctionId Functions::id_of(const std::string& name) {
  const auto [it, added] = ids_.try_emplace(name);
  if (added) it->second = function_ids_.next();
  return it->second;
}

void Functions::put(RevisionPtr revision, std::int64_t created_unix_ns,
                    std::int64_t deployed_unix_ns) {
  const auto [it, added] = functions_.try_emplace(revision->name);
  if (added) it->second.created_unix_ns = created_unix_ns;
  it->second.id = revision->function;
  it->second.deployed_unix_ns = deployed_unix_ns;
  it->second.revision = std::move(revision);
}

void Functions::remove(std::string_view name) {
  const auto it = functions_.find(name);
  if (it == functions_.end()) return;
  ids_.erase(it->first);
  functions_.erase(it);
}

const DeployedFunction* Functions::find(std::string_view name) const {
  const auto it = functions_.find(name);
  return it == functions_.end() ? nullptr : &it->second;
}

Result<gateway::Routes> Functions::routes(const Revision* candidate) const {
  gateway::Routes routes;
  for (const auto& [name, function] : functions_) {
    if (candidate != nullptr && candidate->name == name) continue;
    RETURN_IF_ERROR(add_routes(routes, *function.revision));
  }
  if (candidate != nullptr) RETURN_IF_ERROR(add_routes(routes, *candidate));
  for (const auto& [name, one] : namespaces_.all()) {
    if (name == manifest::kNamespace) continue;
    routes.add_host(name + "." + std::string(manifest::kLocalhost), name);
    for (const std::string& host : one.hosts) routes.add_host(host, name);
  }
  return routes;
}

gateway::Guarded Functions::guarded() const {
  gateway::Guarded guarded;
  for (const auto& [name, function] : functions_) {
    if (function.revision->manifest.spec().auth() == manifest::TOKEN) guarded[function.id] = name;
  }
  return guarded;
}

gateway::Routes Functions::operator_routes() const {
  gateway::Routes routes;
  for (const auto& [name, function] : functions_) routes.add_function(name, function.id);
  return routes;
}

}  // namespace subito::node
