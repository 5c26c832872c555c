#include "runtime/node/control.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/manifest.h"
#include "runtime/base/check.h"
#include "runtime/base/time.h"
#include "runtime/node/health.h"
#include "runtime/node/views.h"

namespace subito::node {

namespace {

// Those that the node answered in a pod's place too, which the scheduler does not see; of a
// function without series of its own, or where nothing is counted, what its pods completed.
std::uint64_t requests_answered(const FunctionMeters* meters, std::uint64_t completed) {
  if (meters == nullptr) return completed;
  const auto answered =
      std::accumulate(meters->ended.begin() + 1, meters->ended.end(), std::uint64_t{0});
  return std::max(answered, completed);
}

}  // namespace

Control::Control(const Parts& parts)
    : parts_(parts),
      rollouts_({parts.loop, parts.store, parts.engine, parts.functions, parts.reporter,
                 [this](const store::Revision& stored) { return load_revision(stored); },
                 [this](const Revision& revision) -> Status {
                   RETURN_IF_ERROR(parts_.functions.routes(&revision));
                   return ok();
                 },
                 [this](const Revision& revision) { current_changed(revision); },
                 [this](const Revision& revision) {
                   auto next = std::make_shared<Revision>(*granted(revision));
                   next->id = parts_.functions.next_revision_id();
                   return RevisionPtr(std::move(next));
                 }}) {
  if (parts.settings != nullptr) {
    parts.settings->set_users([this](const store::ObjectId& id) { return users_of(id); });
    parts.settings->set_namespaces(
        [this](std::string_view name) { return namespace_is_there(name); });
    parts.settings->set_on_changed(
        [this](const store::ObjectId& id, const std::vector<std::string>& users) {
          settings_changed(id, users);
        });
  }
  parts_.engine.set_tenant_of([this](const Revision& revision) {
    return parts_.functions.namespaces().number_of(revision.manifest.metadata().namespace_());
  });
  parts_.engine.set_on_pod_gone([this](const std::string& function) { on_pod_gone(function); });
}

RevisionPtr Control::load_revision(const store::Revision& stored) {
  Artefact artefact{stored.artefact, {}};
  if (auto path = parts_.store.artefact_path(stored.artefact)) {
    artefact.path = *std::move(path);
    pods::read_ahead(artefact.path);
  } else {
    artefact.fault = std::move(path).error().message;
  }
  auto revision = std::make_shared<Revision>(*make_revision(parts_.functions.id_of(stored.function),
                                                            parts_.functions.next_revision_id(),
                                                            stored.number, stored.spec, artefact));
  revision->scaled = stored.scaled;
  return granted(*revision);
}

RevisionPtr Control::granted(const Revision& revision) const {
  auto made = std::make_shared<Revision>(revision);
  if (parts_.settings == nullptr) return made;
  auto grants = parts_.settings->grants_for(revision.manifest);
  const std::string fault = grants ? "" : grants.error().message;
  set_grants(*made, grants ? *std::move(grants) : nullptr, fault);
  return made;
}

std::vector<std::string> Control::users_of(const store::ObjectId& id) const {
  std::vector<std::string> users;
  for (const auto& [name, function] : parts_.functions.all()) {
    const auto serving = rollouts_.serving(name);
    const bool uses = std::any_of(serving.begin(), serving.end(), [&](const RevisionPtr& revision) {
      return lists(revision->manifest, id);
    });
    if (uses) users.push_back(name);
  }
  return users;
}

void Control::settings_changed(const store::ObjectId& id, const std::vector<std::string>& users) {
  ++settings_changes_;
  for (const std::string& name : users) {
    rollouts_.renew(name);
    const std::string& fault = parts_.functions.find(name)->revision->grants_fault;
    parts_.reporter.event(name,
                          id.kind == store::ObjectKind::kConfig ? "ConfigChanged" : "SecretChanged",
                          words(id) + " changed" +
                              (fault.empty() ? "; pods start anew" : "; out of service: " + fault));
  }
}

api::SettingsPlane& Control::settings() {
  CHECK(parts_.settings != nullptr);
  return *parts_.settings;
}

Status Control::load() {
  ASSIGN_OR_RETURN(const auto namespaces, parts_.store.namespaces());
  for (const manifest::Namespace& one : namespaces) {
    parts_.functions.namespaces().put(one);
    apply_quota(one);
  }
  ASSIGN_OR_RETURN(const std::vector<store::FunctionRecord> records, parts_.store.functions());
  for (const store::FunctionRecord& record : records) {
    RETURN_IF_ERROR(rollouts_.restore(record));
    const Revision& revision = *parts_.functions.find(record.revision.function)->revision;
    if (!revision.out_of_service.empty()) {
      parts_.reporter.event(revision.name, "OutOfService",
                            revision.out_of_service + "; deploy it again");
    }
    parts_.breakers.put(revision);
  }
  ASSIGN_OR_RETURN(gateway::Routes routes, parts_.functions.routes());
  set_routes(std::move(routes));
  sync_triggers();
  keep_their_logs();
  return ok();
}

void Control::set_routes(gateway::Routes routes) {
  const auto table = std::make_shared<const gateway::RouteTable>(
      gateway::RouteTable{std::move(routes), parts_.functions.guarded()});
  parts_.gateway.set_routes(table);
  if (tables_ != nullptr) tables_->publish(table);
  for (gateway::Gateway* gateway : {parts_.operator_gateway, parts_.remote_gateway}) {
    if (gateway != nullptr) gateway->set_routes(parts_.functions.operator_routes());
  }
}

void Control::sync_triggers() {
  if (parts_.triggers != nullptr) parts_.triggers->sync();
}

void Control::current_changed(const Revision& revision) {
  if (auto routes = parts_.functions.routes()) set_routes(*std::move(routes));
  parts_.breakers.put(revision);
  sync_triggers();
}

api::DeployReceipt Control::receipt_of(const Revision& revision) const {
  api::DeployReceipt receipt;
  receipt.name = revision.name;
  receipt.revision = revision.number;
  receipt.url = url_of(revision);
  return receipt;
}

std::string Control::url_of(const Revision& revision) const {
  const std::string path = manifest::path_for_clients(revision.manifest);
  if (path.empty()) return "";
  const std::string& name_space = revision.manifest.metadata().namespace_();
  if (name_space.empty() || name_space == manifest::kNamespace) return info_.gateway_url + path;
  // The routes of a namespace are found by its host.
  const std::string& url = info_.gateway_url;
  const std::size_t port = url.rfind(':');
  return "http://" + name_space + "." + std::string(manifest::kLocalhost) + url.substr(port) + path;
}

void Control::remove(std::string_view name, StatusCallback callback) {
  const auto answer = [&](Status status) {
    parts_.loop.defer(
        [callback = std::move(callback), status = std::move(status)] { callback(status); });
  };
  answer(remove_now(name));
}

Status Control::remove_now(std::string_view name) {
  const DeployedFunction* function = parts_.functions.find(name);
  if (function == nullptr) return unknown_function(name);
  RETURN_IF_ERROR(parts_.store.remove_function(name));
  const FunctionId id = function->id;
  parts_.functions.remove(name);
  if (auto routes = parts_.functions.routes()) set_routes(*std::move(routes));
  parts_.breakers.forget(name);
  parts_.engine.remove_function(id);
  rollouts_.remove(name);
  sync_triggers();
  parts_.reporter.event(name, "Removed", "removed");
  forget(std::string(name));
  return ok();
}

void Control::forget(const std::string& name) {
  parts_.reporter.forget(name);
  parts_.forget_logins(name);
}

// Until then it may have logged in once more, and what it said was kept.
void Control::on_pod_gone(const std::string& name) {
  if (parts_.functions.find(name) != nullptr || deploying_.contains(name)) return;
  const auto pods = parts_.engine.pods().all();
  const bool last = std::none_of(pods.begin(), pods.end(),
                                 [&](const Pod* pod) { return pod->revision->name == name; });
  if (last) forget(name);
}

Status Control::scale(std::string_view name, std::optional<std::int32_t> min,
                      std::optional<std::int32_t> max) {
  const DeployedFunction* function = parts_.functions.find(name);
  if (function == nullptr) return unknown_function(name);
  RETURN_IF_ERROR(parts_.store.set_scaling(name, min, max));
  ASSIGN_OR_RETURN(const store::FunctionRecord record, parts_.store.function(name));
  const manifest::Scaling& scaling = record.revision.spec.spec().scaling();
  auto changed = std::make_shared<Revision>(*function->revision);
  *changed->manifest.mutable_spec()->mutable_scaling() = scaling;
  set_pod_counts(*changed, scaling);
  changed->scaled = true;
  parts_.functions.put(changed, function->created_unix_ns, function->deployed_unix_ns);
  rollouts_.scaled(changed);
  parts_.reporter.event(name, "Scaled",
                        "scaled to " + std::to_string(scaling.min()) + " to " +
                            std::to_string(scaling.max()) + " pods");
  return ok();
}

std::vector<api::FunctionView> Control::list_functions() {
  std::vector<api::FunctionView> views;
  for (const auto& [name, function] : parts_.functions.all()) views.push_back(view_of(function));
  return views;
}

Result<api::FunctionView> Control::get_function(std::string_view name) {
  const DeployedFunction* function = parts_.functions.find(name);
  if (function == nullptr) return unknown_function(name).error();
  api::FunctionView view = view_of(*function);
  view.events = parts_.journal.events(name);
  return view;
}

// Of all its revisions that have pods; what is decided is the current one's.
scheduler::FunctionView Control::scheduled_of(const DeployedFunction& function) const {
  const scheduler::Scheduler& scheduler = parts_.engine.scheduler();
  const FunctionId own = function.revision->lane;
  auto all = scheduler.function(own).value_or(scheduler::FunctionView());
  for (const FunctionId lane : parts_.engine.lanes(function.revision->name)) {
    if (lane == own) continue;
    if (const auto beside = scheduler.function(lane)) add_lane(all, *beside);
  }
  all.completed += rollouts_.completed_before(function.revision->name);
  return all;
}

api::FunctionView Control::view_of(const DeployedFunction& function) const {
  const TimePoint now = parts_.loop.now();
  const auto scheduled = scheduled_of(function);
  api::FunctionView view =
      function_view(*function.revision, scheduled, parts_.engine.failed(function.id), now);
  view.requests_served =
      requests_answered(parts_.engine.meters().own(function.id), scheduled.completed);
  if (scheduled.last.kind != scheduler::Decision::Kind::kNone) {
    view.scaling.decided_unix_ns = wall_clock_nanoseconds() - (now - scheduled.last.at).count();
  }
  view.breakers = parts_.breakers.views(function.revision->name, now, wall_clock_nanoseconds());
  view.rate_limits =
      parts_.engine.rates().views(*function.revision, parts_.engine.meters().own(function.id));
  view.created_unix_ns = function.created_unix_ns;
  view.deployed_unix_ns = function.deployed_unix_ns;
  view.url = url_of(*function.revision);
  if (function.revision->start_mode == pods::StartMode::kTemplate) {
    view.kept_template =
        to_api(parts_.engine.pods().home().template_of(function.revision->id.value()));
  }
  const std::string& name = function.revision->name;
  view.logs = log_facts(name);
  view.exceptions = parts_.reporter.exceptions().seen(name);
  view.exception_groups = parts_.reporter.exceptions().groups(name);
  if (parts_.triggers != nullptr) view.triggers = parts_.triggers->views(function.revision->name);
  return view;
}

void Control::list_dead_letters(std::string_view name, std::string_view trigger,
                                DeadLettersCallback callback) {
  if (parts_.triggers != nullptr && parts_.functions.find(name) != nullptr)
    return parts_.triggers->list_dead_letters(std::string(name), std::string(trigger),
                                              std::move(callback));
  parts_.loop.defer([callback = std::move(callback), error = unknown_function(name).error()] {
    callback(error);
  });
}

void Control::settle_dead_letters(std::string_view name, const api::DeadLetterChoice& choice,
                                  CountCallback callback) {
  if (parts_.triggers != nullptr && parts_.functions.find(name) != nullptr)
    return parts_.triggers->settle_dead_letters(std::string(name), choice, std::move(callback));
  parts_.loop.defer([callback = std::move(callback), error = unknown_function(name).error()] {
    callback(error);
  });
}

std::vector<api::PodView> Control::list_pods() {
  std::vector<api::PodView> views;
  PodTable& table = parts_.engine.pods();
  for (const Pod* pod : table.all()) {
    views.push_back(pod_view(*pod, parts_.engine.scheduler().pod(pod->id)));
    views.back().memory_bytes = table.home().memory_bytes(pod->id);
    views.back().host_pid = table.home().host_pid(pod->id);
  }
  sort_pods(views);
  return views;
}

api::ReadyPool Control::ready_pool() {
  const pods::ReadyPool pool = parts_.engine.pods().home().ready_pool();
  return {pool.sandboxes, pool.memory_bytes, pool.templates, pool.template_bytes};
}

Result<std::vector<api::RevisionView>> Control::list_revisions(std::string_view name) {
  ASSIGN_OR_RETURN(const std::vector<store::Revision> revisions, parts_.store.revisions(name));
  std::vector<api::RevisionView> views;
  for (const store::Revision& revision : revisions) views.push_back(view_of(revision));
  return views;
}

Result<api::RevisionView> Control::get_revision(std::string_view name, std::uint64_t number) {
  ASSIGN_OR_RETURN(const store::Revision revision, parts_.store.revision(name, number));
  api::RevisionView view = view_of(revision);
  view.manifest = revision.spec;
  return view;
}

api::RevisionView Control::view_of(const store::Revision& revision) const {
  api::RevisionView view;
  view.function = revision.function;
  view.number = revision.number;
  view.current = revision.current;
  view.artefact = revision.artefact;
  view.created_unix_ns = revision.created_unix_ns;
  view.message = revision.message;
  for (const api::ServingView& serving : rollouts_.view(revision.function).serving) {
    if (serving.revision == revision.number) view.traffic_percent = serving.percent;
  }
  return view;
}

Result<api::RolloutView> Control::rollout(std::string_view name) {
  if (parts_.functions.find(name) == nullptr) return unknown_function(name).error();
  return rollouts_.view(name);
}

std::vector<api::Condition> Control::conditions() {
  return health_ == nullptr ? std::vector<api::Condition>() : health_->conditions();
}

api::SubscriptionId Control::subscribe_events(std::string_view function, EventCallback callback) {
  const api::SubscriptionId id = subscriptions_.next();
  parts_.journal.subscribe(id, std::string(function), std::move(callback));
  return id;
}

api::SubscriptionId Control::subscribe_requests(std::string_view function,
                                                RequestCallback callback) {
  const api::SubscriptionId id = subscriptions_.next();
  parts_.requests.subscribe(id, std::string(function), std::move(callback));
  return id;
}

void Control::unsubscribe(api::SubscriptionId id) {
  if (parts_.journal.unsubscribe(id) || parts_.logs.unsubscribe(id)) return;
  parts_.requests.unsubscribe(id);
}

}  // namespace subito::node
