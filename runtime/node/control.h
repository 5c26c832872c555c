// Control: the control plane of a live node: deploys, removes, scales, and shows what is there.
// The store is asked first and told last: what is acknowledged survives.
//
// Owned by the node, on the loop's thread. See deploy/api/control_plane.h for the contract.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "deploy/api/control_plane.h"
#include "deploy/store/store.h"
#include "runtime/gateway/gateway.h"
#include "runtime/node/call_breakers.h"
#include "runtime/node/engine.h"
#include "runtime/node/functions.h"
#include "runtime/node/journal.h"
#include "runtime/node/log_book.h"
#include "runtime/node/reporter.h"
#include "runtime/node/request_feed.h"
#include "runtime/node/rollouts.h"
#include "runtime/node/settings.h"
#include "runtime/node/triggers/triggers.h"

namespace subito::node {

class Health;
class LogFiles;

// How long a deploy whose pod crashed waits for the names in its report; then it fails with the
// logs that there are.
inline constexpr Duration kCrashReportWait = std::chrono::seconds(2);

class Control final : public api::ControlPlane {
 public:
  struct Parts {
    Loop& loop;
    store::Store& store;
    Engine& engine;
    Functions& functions;
    gateway::Gateway& gateway;
    Journal& journal;
    LogBook& logs;
    Reporter& reporter;
    RequestFeed& requests;
    CallBreakers& breakers;
    std::function<void(const std::string& function)> forget_logins;  // of a removed function
    Duration crash_report_wait = kCrashReportWait;
    Triggers* triggers = nullptr;                  // null: there are none
    gateway::Gateway* operator_gateway = nullptr;  // of the control socket; null: there is none
    Settings* settings = nullptr;                  // null: there are no config objects, no secrets
    gateway::Gateway* remote_gateway = nullptr;    // as operator_gateway, of the API by TLS
  };
  explicit Control(const Parts& parts);

  void set_node_info(api::NodeInfo info) { info_ = std::move(info); }
  // Without it nothing is known to be wrong. It outlives this.
  void set_health(const Health* health) { health_ = health; }
  // Without them logs are in memory alone. They outlive it.
  void set_log_files(LogFiles* files) { log_files_ = files; }
  // Why there are none although there should be.
  void set_log_fault(std::string fault) { log_fault_ = std::move(fault); }
  const std::string& log_fault() const;  // why logs are not written; empty: they are
  // For the gateways of other loops. It outlives this.
  void publish_routes(Published<const gateway::RouteTable>& tables) { tables_ = &tables; }
  // Those that lose their scopes of a namespace that goes; without it there are none. It outlives
  // this.
  void set_tokens(access::TokenBook& tokens) { tokens_ = &tokens; }
  // Takes over what the store has. At start, before the first request. A function that cannot run
  // (its artefact is gone) is out of service; the others do not suffer for it.
  Status load();

  void begin_deploy(const manifest::Function& function, const std::string& artefact,
                    const api::DeployOptions& options, DeployCallback callback) override;
  void remove(std::string_view name, StatusCallback callback) override;
  Status scale(std::string_view name, std::optional<std::int32_t> min,
               std::optional<std::int32_t> max) override;
  Result<api::RolloutView> rollout(std::string_view name) override;
  Status pause_rollout(std::string_view name) override { return rollouts_.pause(name); }
  Status resume_rollout(std::string_view name) override { return rollouts_.resume(name); }
  void undo_rollout(std::string_view name, std::uint64_t number, DeployCallback callback) override;
  Status set_traffic(std::string_view name, const std::vector<api::TrafficShare>& shares) override {
    return rollouts_.set_traffic(name, shares);
  }

  // control_namespaces.cc
  std::vector<api::NamespaceView> list_namespaces() override;
  Result<api::NamespaceView> get_namespace(std::string_view name) override;
  Status namespace_is_there(std::string_view name) const override;
  Result<api::NamespaceLeftovers> create_namespace(const manifest::Namespace& wanted) override;
  Status set_namespace(std::string_view name, const api::NamespaceChange& change) override;
  void delete_namespace(std::string_view name, bool with_contents,
                        NamespaceCallback callback) override;

  std::vector<api::FunctionView> list_functions() override;
  Result<api::FunctionView> get_function(std::string_view name) override;
  void list_dead_letters(std::string_view name, std::string_view trigger,
                         DeadLettersCallback callback) override;
  void settle_dead_letters(std::string_view name, const api::DeadLetterChoice& choice,
                           CountCallback callback) override;
  std::vector<api::PodView> list_pods() override;
  api::ReadyPool ready_pool() override;
  Result<std::vector<api::RevisionView>> list_revisions(std::string_view name) override;
  Result<api::RevisionView> get_revision(std::string_view name, std::uint64_t number) override;
  api::NodeInfo node_info() override { return info_; }
  api::SettingsPlane& settings() override;
  std::vector<api::Condition> conditions() override;

  api::SubscriptionId subscribe_events(std::string_view function, EventCallback callback) override;
  // control_logs.cc
  void logs(const api::LogQuery& query, LogsCallback callback) override;
  std::vector<api::ExceptionView> list_exceptions(std::string_view function) override;
  api::SubscriptionId subscribe_logs(std::string_view function, LogCallback callback) override;
  api::SubscriptionId subscribe_requests(std::string_view function,
                                         RequestCallback callback) override;
  void unsubscribe(api::SubscriptionId id) override;

 private:
  struct Deploy {
    RevisionPtr revision;
    std::optional<store::Candidate> candidate;  // none: the revision was there before
    Rollouts::How how = Rollouts::How::kByManifest;
    DeployCallback callback;
    std::uint64_t settings = 0;              // changes of settings before it was made
    bool checking = false;                   // one pod of it was started
    std::unique_ptr<Timer> report_deadline;  // while a crash report is awaited
  };

  Result<std::shared_ptr<Deploy>> prepare(const manifest::Function& function,
                                          const std::string& artefact,
                                          const api::DeployOptions& options);
  Result<std::shared_ptr<Deploy>> prepare_undo(std::string_view name, std::uint64_t number);
  void begin(const std::shared_ptr<Deploy>& deploy, bool check, DeployCallback callback);
  void refuse(std::string_view name, Error error, DeployCallback callback);
  Status no_other_deploy(const std::string& name) const;
  api::RevisionView view_of(const store::Revision& revision) const;
  void current_changed(const Revision& revision);
  // Why it cannot be deployed; empty: it can.
  std::string fault_of(const Revision& revision) const;
  void check(const std::shared_ptr<Deploy>& deploy);
  void check_template(const std::shared_ptr<Deploy>& deploy, const pods::TemplateView& view);
  void check_pod(const std::shared_ptr<Deploy>& deploy);
  void check_failed(const std::shared_ptr<Deploy>& deploy, const std::string& pod, Error error);
  // By the report or by the deadline: the second of them changes nothing.
  void end_failed_check(Deploy& deploy, const std::string& pod, const Error& error);
  void finish(Deploy& deploy, api::DeployReceipt receipt);
  void fail_deploy(Deploy& deploy, Error error, std::vector<api::LogRecord> last_logs);
  Result<api::DeployReceipt> commit(Deploy& deploy, api::DeployReceipt receipt);
  api::DeployReceipt receipt_of(const Revision& revision) const;
  RevisionPtr load_revision(const store::Revision& stored);
  // With what it lists of config objects and secrets, as they are now.
  RevisionPtr granted(const Revision& revision) const;
  std::vector<std::string> users_of(const store::ObjectId& id) const;
  void settings_changed(const store::ObjectId& id, const std::vector<std::string>& users);
  scheduler::FunctionView scheduled_of(const DeployedFunction& function) const;
  void keep_their_logs();
  api::LogFacts log_facts(const std::string& function) const;
  api::FunctionView view_of(const DeployedFunction& function) const;
  Status remove_now(std::string_view name);
  void forget(const std::string& name);
  Status namespace_is_there(const manifest::Metadata& metadata) const;
  using ObjectCounts = std::map<std::string, store::ObjectCounts>;
  api::NamespaceView view_of(const manifest::Namespace& name_space, const ObjectCounts& objects);
  Status may_delete_namespace(const std::string& doing, std::string_view name, bool with_contents);
  Result<access::CutTokens> delete_namespace_now(std::string_view name, bool with_contents);
  Result<access::CutTokens> forget_tokens(std::string_view name,
                                          const access::TokenBook::Commit& commit);
  Status may_put_namespace(const std::string& doing, const manifest::Namespace& wanted) const;
  void take_namespace(const manifest::Namespace& stored);
  void apply_quota(const manifest::Namespace& name_space);
  void sync_triggers();
  // `routes`: for clients. After `functions` changed.
  void set_routes(gateway::Routes routes);
  std::string url_of(const Revision& revision) const;  // empty: clients reach it nowhere
  void on_pod_gone(const std::string& name);

  Parts parts_;
  api::NodeInfo info_;
  const Health* health_ = nullptr;
  access::TokenBook* tokens_ = nullptr;
  LogFiles* log_files_ = nullptr;
  Published<const gateway::RouteTable>* tables_ = nullptr;
  std::string log_fault_;
  std::set<std::string> deploying_;
  std::uint64_t settings_changes_ = 0;
  Rollouts rollouts_;
  IdSource<api::SubscriptionId> subscriptions_;
};

}  // namespace subito::node
