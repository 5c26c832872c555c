// Control: deploys, and undoing them, from the first check to what serves.
#include <utility>

#include "runtime/base/time.h"
#include "runtime/node/control.h"
#include "runtime/node/views.h"

namespace subito::node {
namespace {

constexpr std::size_t kDeployLogsMax = 20;  // as DeployFailure promises

std::string check_pod_name(const Revision& revision) {
  return revision.name + "-check-" + std::to_string(revision.number);
}

}  // namespace

void Control::begin_deploy(const manifest::Function& function, const std::string& artefact,
                           const api::DeployOptions& options, DeployCallback callback) {
  const std::string& name = function.metadata().name();
  const auto unchanged = parts_.store.is_current(function, artefact);
  const DeployedFunction* current = parts_.functions.find(name);
  if (unchanged && *unchanged && current->revision->out_of_service.empty() &&
      !rollouts_.under_way(name)) {
    api::DeployReceipt receipt = receipt_of(*current->revision);
    receipt.unchanged = true;
    parts_.loop.defer([callback = std::move(callback), receipt] { callback(receipt); });
    return;
  }
  auto prepared = prepare(function, artefact, options);
  if (!prepared) return refuse(name, std::move(prepared).error(), std::move(callback));
  begin(*prepared, options.check, std::move(callback));
}

void Control::undo_rollout(std::string_view name, std::uint64_t number, DeployCallback callback) {
  const DeployedFunction* function = parts_.functions.find(name);
  if (function == nullptr) return refuse(name, unknown_function(name).error(), std::move(callback));
  const bool back_to_current = number == function->revision->number;
  if (number == 0 || back_to_current) {
    const auto abandoned = rollouts_.abandon(name);
    if (!abandoned) return refuse(name, abandoned.error(), std::move(callback));
    if (*abandoned || back_to_current) {
      api::DeployReceipt receipt = receipt_of(*function->revision);
      receipt.unchanged = !*abandoned;
      return parts_.loop.defer([callback = std::move(callback), receipt] { callback(receipt); });
    }
  }
  auto prepared = prepare_undo(name, number);
  if (!prepared) return refuse(name, std::move(prepared).error(), std::move(callback));
  begin(*prepared, true, std::move(callback));
}

void Control::begin(const std::shared_ptr<Deploy>& deploy, bool with_check,
                    DeployCallback callback) {
  deploy->callback = std::move(callback);
  deploying_.insert(deploy->revision->name);
  if (with_check) return check(deploy);
  parts_.loop.defer([this, deploy] { finish(*deploy, receipt_of(*deploy->revision)); });
}

void Control::refuse(std::string_view name, Error error, DeployCallback callback) {
  const DeployedFunction* current = parts_.functions.find(name);
  api::DeployFailure failure{
      std::move(error), {}, current != nullptr ? current->revision->number : 0};
  parts_.loop.defer([callback = std::move(callback), failure = std::move(failure)] {
    callback(tl::make_unexpected(failure));
  });
}

Status Control::no_other_deploy(const std::string& name) const {
  if (!deploying_.contains(name)) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              "deploy " + name + ": another deploy of it is under way; wait for it");
}

Result<std::shared_ptr<Control::Deploy>> Control::prepare(const manifest::Function& function,
                                                          const std::string& artefact,
                                                          const api::DeployOptions& options) {
  const std::string& name = function.metadata().name();
  RETURN_IF_ERROR(no_other_deploy(name));
  ASSIGN_OR_RETURN(std::string path, parts_.store.artefact_path(artefact));
  pods::read_ahead(path);
  const auto revision = [&, function_id = parts_.functions.id_of(name),
                         id = parts_.functions.next_revision_id()](std::uint64_t number) {
    return granted(*make_revision(function_id, id, number, function, {artefact, path}));
  };
  // What is refused takes no number.
  if (const std::string fault = fault_of(*revision(0)); !fault.empty()) {
    return fail(ErrorCode::kInvalidArgument, "deploy " + name + ": " + fault);
  }
  auto deploy = std::make_shared<Deploy>();
  ASSIGN_OR_RETURN(deploy->candidate, parts_.store.prepare(function, artefact, options.message));
  deploy->revision = revision(deploy->candidate->number);
  deploy->settings = settings_changes_;
  if (!options.traffic) deploy->how = Rollouts::How::kAside;
  return deploy;
}

// `number` 0: the one that was current before.
Result<std::shared_ptr<Control::Deploy>> Control::prepare_undo(std::string_view name,
                                                               std::uint64_t number) {
  RETURN_IF_ERROR(no_other_deploy(std::string(name)));
  if (number == 0) {
    ASSIGN_OR_RETURN(number, rollouts_.previous(name));
  }
  ASSIGN_OR_RETURN(const store::Revision stored, parts_.store.revision(name, number));
  auto deploy = std::make_shared<Deploy>();
  deploy->revision = load_revision(stored);
  deploy->settings = settings_changes_;
  if (const std::string fault = fault_of(*deploy->revision); !fault.empty()) {
    return fail(ErrorCode::kFailedPrecondition, "undo " + std::string(name) + ": revision " +
                                                    std::to_string(number) + ": " + fault);
  }
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
  // What changed while it was checked holds for it too. Its template has what was before.
  if (deploy.settings != settings_changes_) {
    parts_.engine.drop_template(*deploy.revision);
    auto next = std::make_shared<Revision>(*granted(*deploy.revision));
    next->id = parts_.functions.next_revision_id();
    deploy.revision = std::move(next);
  }
  const Revision& revision = *deploy.revision;
  const bool first = parts_.functions.find(revision.name) == nullptr;
  ASSIGN_OR_RETURN(receipt.rolling,
                   deploy.candidate
                       ? rollouts_.deploy(deploy.revision, *deploy.candidate, deploy.how)
                       : rollouts_.go_back_to(deploy.revision));
  receipt.aside = deploy.how == Rollouts::How::kAside && !first;
  const std::string number = std::to_string(revision.number);
  if (!deploy.candidate) {
    parts_.reporter.event(revision.name, "RolledBack", "back to revision " + number);
  } else {
    parts_.reporter.event(
        revision.name, "Deployed",
        "deployed revision " + number + (receipt.aside ? ", without traffic" : ""));
  }
  return receipt;
}

void Control::fail_deploy(Deploy& deploy, Error error, std::vector<api::LogRecord> last_logs) {
  const std::string& name = deploy.revision->name;
  parts_.engine.drop_template(*deploy.revision);
  // At the latest the next open() drops it.
  if (deploy.candidate) (void)parts_.store.drop(*deploy.candidate);
  deploying_.erase(name);
  parts_.reporter.event(name, "DeployFailed", error.message);
  const DeployedFunction* current = parts_.functions.find(name);
  deploy.callback(tl::make_unexpected(api::DeployFailure{
      std::move(error), std::move(last_logs), current != nullptr ? current->revision->number : 0}));
}

}  // namespace subito::node
