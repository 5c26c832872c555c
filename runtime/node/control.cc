#include "runtime/node/control.h"

#include <algorithm>
#include <utility>

#include "deploy/manifest/manifest.h"
#include "runtime/base/time.h"
#include "runtime/node/views.h"

namespace subito::node {
namespace {

constexpr std::size_t kDeployLogsMax = 20;  // as DeployFailure promises

std::string check_pod_name(const Revision& revision) {
  return revision.name + "-check-" + std::to_string(revision.number);
}

}  // namespace

Control::Control(const Parts& parts) : parts_(parts) {
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
  return revision;
}

Status Control::load() {
  ASSIGN_OR_RETURN(const std::vector<store::FunctionRecord> records, parts_.store.functions());
  for (const store::FunctionRecord& record : records) {
    RevisionPtr revision = load_revision(record.revision);
    if (!revision->out_of_service.empty()) {
      parts_.reporter.event(revision->name, "OutOfService",
                            revision->out_of_service + "; deploy it again");
    }
    parts_.functions.put(revision, record.created_unix_ns, record.revision.created_unix_ns);
    parts_.breakers.put(*revision);
    parts_.engine.put_function(std::move(revision));
  }
  ASSIGN_OR_RETURN(gateway::Routes routes, parts_.functions.routes());
  set_routes(std::move(routes));
  sync_triggers();
  keep_their_logs();
  return ok();
}

void Control::set_routes(gateway::Routes routes) {
  parts_.gateway.set_routes(std::move(routes));
  if (parts_.operator_gateway != nullptr)
    parts_.operator_gateway->set_routes(parts_.functions.operator_routes());
}

void Control::sync_triggers() {
  if (parts_.triggers != nullptr) parts_.triggers->sync();
}

void Control::begin_deploy(const manifest::Function& function, const std::string& artefact,
                           const api::DeployOptions& options, DeployCallback callback) {
  const std::string& name = function.metadata().name();
  const auto unchanged = parts_.store.is_current(function, artefact);
  const DeployedFunction* current = parts_.functions.find(name);
  if (unchanged && *unchanged && current->revision->out_of_service.empty()) {
    api::DeployReceipt receipt = receipt_of(*current->revision);
    receipt.unchanged = true;
    parts_.loop.defer([callback = std::move(callback), receipt] { callback(receipt); });
    return;
  }
  auto prepared = prepare(function, artefact);
  if (!prepared) {
    api::DeployFailure failure{
        std::move(prepared).error(), {}, current != nullptr ? current->revision->number : 0};
    parts_.loop.defer(
        [callback = std::move(callback), failure] { callback(tl::make_unexpected(failure)); });
    return;
  }
  const std::shared_ptr<Deploy> deploy = *std::move(prepared);
  deploy->callback = std::move(callback);
  deploying_.insert(name);
  if (options.check) {
    check(deploy);
  } else {
    parts_.loop.defer([this, deploy] { finish(*deploy, receipt_of(*deploy->revision)); });
  }
}

Result<std::shared_ptr<Control::Deploy>> Control::prepare(const manifest::Function& function,
                                                          const std::string& artefact) {
  const std::string& name = function.metadata().name();
  if (deploying_.contains(name)) {
    return fail(ErrorCode::kFailedPrecondition,
                "deploy " + name + ": another deploy of it is under way; wait for it");
  }
  ASSIGN_OR_RETURN(std::string path, parts_.store.artefact_path(artefact));
  pods::read_ahead(path);
  const auto revision = [&, function_id = parts_.functions.id_of(name),
                         id = parts_.functions.next_revision_id()](std::uint64_t number) {
    return make_revision(function_id, id, number, function, {artefact, path});
  };
  // What is refused takes no number.
  if (const std::string fault = fault_of(*revision(0)); !fault.empty()) {
    return fail(ErrorCode::kInvalidArgument, "deploy " + name + ": " + fault);
  }
  auto deploy = std::make_shared<Deploy>();
  ASSIGN_OR_RETURN(deploy->candidate, parts_.store.prepare(function, artefact));
  deploy->revision = revision(deploy->candidate.number);
  return deploy;
}

std::string Control::fault_of(const Revision& revision) const {
  if (const auto routes = parts_.functions.routes(&revision); !routes) {
    return routes.error().message;
  }
  return std::string(scheduler::fault(revision.scaling).value_or(revision.out_of_service));
}

// Makes its template if it has one, then starts one pod of the candidate; what is current stays
// until it has come up.
void Control::check(const std::shared_ptr<Deploy>& deploy) {
  const bool awaited = parts_.engine.make_template(
      *deploy->revision,
      [this, deploy](const pods::TemplateView& view) { check_template(deploy, view); });
  if (!awaited) check_pod(deploy);
}

// A process that died while it made the template tells why as the pod that starts next.
void Control::check_template(const std::shared_ptr<Deploy>& deploy,
                             const pods::TemplateView& view) {
  if (std::exchange(deploy->checking, true)) return;
  if (view.state != pods::TemplateView::State::kRefused) return check_pod(deploy);
  const std::string& name = deploy->revision->name;
  fail_deploy(*deploy,
              {ErrorCode::kInvalidArgument,
               "deploy " + name + ": make a template of it: " + view.fault +
                   "; or deploy it with start: pooled",
               0},
              {});
}

void Control::check_pod(const std::shared_ptr<Deploy>& deploy) {
  const std::string pod = check_pod_name(*deploy->revision);
  parts_.engine.probe(deploy->revision, pod,
                      [this, deploy, pod](Result<Duration> start, pods::StartMode mode) {
                        if (!start) {
                          Error error = std::move(start).error();
                          return check_failed(deploy, pod, std::move(error));
                        }
                        api::DeployReceipt receipt = receipt_of(*deploy->revision);
                        receipt.checked = true;
                        receipt.start_mode = to_api(mode);
                        receipt.start_us = microseconds(*start);
                        finish(*deploy, std::move(receipt));
                      });
}

// Its report of a crash is the most that whoever deploys can learn: it is waited for, until a
// deadline, as it waits for the reading of a binary that may be broken.
void Control::check_failed(const std::shared_ptr<Deploy>& deploy, const std::string& pod,
                           Error error) {
  const std::string& name = deploy->revision->name;
  error = std::move(error).annotate("deploy " + name + ": start a pod of it");
  deploy->report_deadline = std::make_unique<Timer>(
      parts_.loop, [this, pod, error, waiting = std::weak_ptr<Deploy>(deploy)] {
        if (const auto late = waiting.lock()) end_failed_check(*late, pod, error);
      });
  deploy->report_deadline->start(parts_.crash_report_wait);
  parts_.reporter.after_crash_report(
      pod, [this, deploy, pod, error] { end_failed_check(*deploy, pod, error); });
}

void Control::end_failed_check(Deploy& deploy, const std::string& pod, const Error& error) {
  if (!deploy.report_deadline) return;
  deploy.report_deadline.reset();
  const std::string& function = deploy.revision->name;
  fail_deploy(deploy, error, parts_.logs.of_pod(function, pod, kDeployLogsMax));
  on_pod_gone(function);
}

void Control::finish(Deploy& deploy, api::DeployReceipt receipt) {
  auto committed = commit(deploy, std::move(receipt));
  if (!committed) return fail_deploy(deploy, std::move(committed).error(), {});
  deploying_.erase(deploy.revision->name);
  deploy.callback(*std::move(committed));
}

Result<api::DeployReceipt> Control::commit(Deploy& deploy, api::DeployReceipt receipt) {
  // Another function may have taken a route of it meanwhile.
  ASSIGN_OR_RETURN(gateway::Routes routes, parts_.functions.routes(deploy.revision.get()));
  RETURN_IF_ERROR(parts_.store.commit(deploy.candidate));
  const std::int64_t now = wall_clock_nanoseconds();
  parts_.functions.put(deploy.revision, now, now);
  set_routes(std::move(routes));
  parts_.breakers.put(*deploy.revision);
  parts_.engine.put_function(deploy.revision);
  sync_triggers();
  parts_.reporter.event(deploy.revision->name, "Deployed",
                        "deployed revision " + std::to_string(deploy.revision->number));
  return receipt;
}

void Control::fail_deploy(Deploy& deploy, Error error, std::vector<api::LogRecord> last_logs) {
  const std::string& name = deploy.revision->name;
  parts_.engine.drop_template(*deploy.revision);
  (void)parts_.store.drop(deploy.candidate);  // at the latest the next open() drops it
  deploying_.erase(name);
  parts_.reporter.event(name, "DeployFailed", error.message);
  const DeployedFunction* current = parts_.functions.find(name);
  deploy.callback(tl::make_unexpected(api::DeployFailure{
      std::move(error), std::move(last_logs), current != nullptr ? current->revision->number : 0}));
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
  return path.empty() ? "" : info_.gateway_url + path;
}

void Control::remove(std::string_view name, StatusCallback callback) {
  const auto answer = [&](Status status) {
    parts_.loop.defer(
        [callback = std::move(callback), status = std::move(status)] { callback(status); });
  };
  const DeployedFunction* function = parts_.functions.find(name);
  if (function == nullptr) return answer(unknown_function(name));
  if (auto removed = parts_.store.remove_function(name); !removed) return answer(removed);
  const FunctionId id = function->id;
  parts_.functions.remove(name);
  if (auto routes = parts_.functions.routes()) set_routes(*std::move(routes));
  parts_.breakers.forget(name);
  parts_.engine.remove_function(id);
  sync_triggers();
  parts_.reporter.event(name, "Removed", "removed");
  forget(std::string(name));
  answer(ok());
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
  parts_.engine.put_function(changed);
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

api::FunctionView Control::view_of(const DeployedFunction& function) const {
  const TimePoint now = parts_.loop.now();
  const auto scheduled =
      parts_.engine.scheduler().function(function.id).value_or(scheduler::FunctionView());
  api::FunctionView view =
      function_view(*function.revision, scheduled, parts_.engine.failed(function.id), now);
  if (scheduled.last.kind != scheduler::Decision::Kind::kNone) {
    view.scaling.decided_unix_ns = wall_clock_nanoseconds() - (now - scheduled.last.at).count();
  }
  view.breakers = parts_.breakers.views(function.revision->name, now, wall_clock_nanoseconds());
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
  for (const store::Revision& revision : revisions) {
    views.push_back({revision.function, revision.number, revision.current, revision.artefact,
                     revision.created_unix_ns});
  }
  return views;
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
