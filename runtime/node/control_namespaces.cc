// Control: namespaces come, change and go.
#include <algorithm>
#include <memory>
#include <utility>

#include "deploy/api/views.h"
#include "deploy/manifest/defaults.h"
#include "deploy/manifest/qualified_name.h"
#include "runtime/base/time.h"
#include "runtime/node/control.h"

namespace subito::node {

namespace {

tl::unexpected<Error> no_namespace(std::string_view name) {
  return fail(ErrorCode::kNotFound, "find namespace: " + manifest::no_namespace_words(name));
}

tl::unexpected<Error> refused(const std::string& doing, const std::string& why) {
  return fail(ErrorCode::kInvalidArgument, doing + ": " + why);
}

}  // namespace

Status Control::namespace_is_there(const manifest::Metadata& metadata) const {
  const std::string& name = metadata.namespace_();
  if (name.empty() || parts_.functions.namespaces().find(name) != nullptr) return ok();
  return fail(ErrorCode::kInvalidArgument, "deploy " + manifest::qualified_name(metadata) + ": " +
                                               manifest::no_namespace_words(name));
}

Status Control::namespace_is_there(std::string_view name) const {
  if (parts_.functions.namespaces().find(name) == nullptr) return no_namespace(name);
  return ok();
}

api::NamespaceView Control::view_of(const manifest::Namespace& name_space,
                                    const ObjectCounts& objects) {
  api::NamespaceView view{name_space};
  if (const auto counts = objects.find(name_space.name); counts != objects.end())
    view.objects = counts->second;
  for (const auto& [name, function] : parts_.functions.all()) {
    view.functions += function.revision->manifest.metadata().namespace_() == name_space.name;
  }
  for (const Pod* pod : parts_.engine.pods().all()) {
    const Revision& revision = *pod->revision;
    if (revision.manifest.metadata().namespace_() != name_space.name) continue;
    ++view.pods;
    view.memory_bytes += revision.pod_limits.memory_bytes_max;
    view.cpu_millicores += revision.scaling.cpu_millicores;
  }
  return view;
}

std::vector<api::NamespaceView> Control::list_namespaces() {
  // Of a database that cannot be read other answers tell.
  const ObjectCounts objects = parts_.store.objects().counts().value_or(ObjectCounts());
  std::vector<api::NamespaceView> views;
  for (const auto& [name, one] : parts_.functions.namespaces().all())
    views.push_back(view_of(one, objects));
  return views;
}

Result<api::NamespaceView> Control::get_namespace(std::string_view name) {
  const manifest::Namespace* found = parts_.functions.namespaces().find(name);
  if (found == nullptr) return no_namespace(name).value();
  ASSIGN_OR_RETURN(const ObjectCounts objects, parts_.store.objects().counts());
  return view_of(*found, objects);
}

Result<api::NamespaceLeftovers> Control::create_namespace(const manifest::Namespace& wanted) {
  const std::string doing = "create namespace " + wanted.name;
  Namespaces& all = parts_.functions.namespaces();
  if (all.find(wanted.name) != nullptr)
    return fail(ErrorCode::kAlreadyExists, doing + ": it is there already");
  if (all.all().size() >= manifest::kNamespacesMax)
    return fail(ErrorCode::kResourceExhausted, doing + ": a node has at most 1000");
  if (all.next_number_of(wanted.name) >= scheduler::kTenantsMax)
    return fail(ErrorCode::kResourceExhausted,
                doing + ": so many were made and deleted that the node must be started anew");
  RETURN_IF_ERROR(may_put_namespace(doing, wanted));
  manifest::Namespace made = wanted;
  made.created_unix_ns = wall_clock_nanoseconds();
  // What older nodes left, or let be made before it: config and secrets, and tokens, which nobody
  // who makes a namespace would think of.
  ASSIGN_OR_RETURN(const ObjectCounts objects, parts_.store.objects().counts());
  api::NamespaceLeftovers left;
  if (const auto counts = objects.find(wanted.name); counts != objects.end())
    left.objects = counts->second;
  ASSIGN_OR_RETURN(left.tokens, forget_tokens(wanted.name, [&](const auto& write) {
                     return parts_.store.make_namespace(made, write);
                   }));
  take_namespace(made);
  return left;
}

// Where there are none, only what `commit` does itself.
Result<access::CutTokens> Control::forget_tokens(std::string_view name,
                                                 const access::TokenBook::Commit& commit) {
  if (tokens_ != nullptr) return tokens_->forget_namespace(name, wall_clock_nanoseconds(), commit);
  RETURN_IF_ERROR(commit(nullptr));
  return access::CutTokens();
}

Status Control::set_namespace(std::string_view name, const api::NamespaceChange& change) {
  const manifest::Namespace* before = parts_.functions.namespaces().find(name);
  if (before == nullptr) return no_namespace(name);
  manifest::Namespace changed = *before;
  if (change.pods) changed.quota.pods = *change.pods;
  if (change.memory_bytes) changed.quota.memory_bytes = *change.memory_bytes;
  if (change.cpu_millicores) changed.quota.cpu_millicores = *change.cpu_millicores;
  if (change.requests_per_s) changed.quota.requests_per_s = *change.requests_per_s;
  if (change.hosts) changed.hosts = *change.hosts;
  RETURN_IF_ERROR(may_put_namespace("set namespace " + changed.name, changed));
  RETURN_IF_ERROR(parts_.store.put_namespace(changed));
  take_namespace(changed);
  return ok();
}

Status Control::may_put_namespace(const std::string& doing,
                                  const manifest::Namespace& wanted) const {
  if (const auto wrong = manifest::check(wanted)) return refused(doing, *wrong);
  if (wanted.name == manifest::kNamespace && !wanted.hosts.empty())
    return refused(doing, "every host that is no other's is default's already");
  if (auto free = parts_.functions.namespaces().check_hosts(wanted); !free)
    return std::move(free).error().annotate(doing);
  return ok();
}

// What the store has is so for everybody else.
void Control::take_namespace(const manifest::Namespace& stored) {
  parts_.functions.namespaces().put(stored);
  apply_quota(stored);
  if (auto routes = parts_.functions.routes()) set_routes(*std::move(routes));
}

Status Control::may_delete_namespace(const std::string& doing, std::string_view name,
                                     bool with_contents) {
  ASSIGN_OR_RETURN(const api::NamespaceView view, get_namespace(name));
  if (name == manifest::kNamespace)
    return refused(doing, "it is always there; `subito delete` deletes its functions");
  const bool deploys = std::any_of(deploying_.begin(), deploying_.end(), [&](const auto& one) {
    return manifest::split_qualified(one).name_space == name;
  });
  if (deploys)
    return fail(ErrorCode::kFailedPrecondition,
                doing + ": a function of it is being deployed; wait for it");
  const std::string inside = api::contents_words(view);
  if (inside.empty() || with_contents) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              doing + ": " + inside + " in it; --all deletes them with it");
}

// Its functions go first, one after the other, as if each had been removed by itself; its tokens
// with it, or whoever makes it again would let them in.
Result<access::CutTokens> Control::delete_namespace_now(std::string_view name, bool with_contents) {
  const std::string name_space(name);
  RETURN_IF_ERROR(may_delete_namespace("delete namespace " + name_space, name, with_contents));
  std::vector<std::string> inside;
  for (const auto& [function, deployed] : parts_.functions.all()) {
    if (deployed.revision->manifest.metadata().namespace_() == name) inside.push_back(function);
  }
  for (const std::string& function : inside) RETURN_IF_ERROR(remove_now(function));
  ASSIGN_OR_RETURN(access::CutTokens cut, forget_tokens(name, [&](const auto& write) {
                     return parts_.store.remove_namespace(name, write);
                   }));
  parts_.functions.namespaces().remove(name_space);
  apply_quota({name_space});
  if (auto routes = parts_.functions.routes()) set_routes(*std::move(routes));
  return cut;
}

void Control::delete_namespace(std::string_view name, bool with_contents,
                               NamespaceCallback callback) {
  parts_.loop.defer([callback = std::move(callback),
                     gone = delete_namespace_now(name, with_contents)] { callback(gone); });
}

void Control::apply_quota(const manifest::Namespace& name_space) {
  const manifest::Quota& quota = name_space.quota;
  const std::uint32_t tenant = parts_.functions.namespaces().number_of(name_space.name);
  parts_.engine.set_quota(tenant, {.pods_max = quota.pods,
                                   .cpu_millicores_max = quota.cpu_millicores,
                                   .memory_bytes_max = quota.memory_bytes});
  std::optional<scheduler::Rate> rate;
  if (quota.requests_per_s > 0)
    rate = {quota.requests_per_s, std::chrono::seconds(1), quota.requests_per_s};
  parts_.engine.set_namespace_rate(name_space.name, rate);
}

}  // namespace subito::node
