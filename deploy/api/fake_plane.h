// FakePlane: a ControlPlane made of plain lists, for the tests of the API and of the command line.
// What it should say is put into its public members; callbacks come when the test calls settle().
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "deploy/api/control_plane.h"
#include "deploy/api/fake_settings.h"
#include "deploy/api/views.h"
#include "deploy/manifest/manifest.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::api {

class FakePlane : public ControlPlane {
 public:
  std::map<std::string, FunctionView, std::less<>> functions;
  std::map<std::string, NamespaceView, std::less<>> namespaces = {{"default", {{"default"}}}};
  std::vector<PodView> pods;
  ReadyPool ready{8, 3040870};
  std::map<std::string, std::vector<RevisionView>, std::less<>> revisions;
  std::map<std::string, RolloutView, std::less<>> rollouts;
  std::vector<LogRecord> records;
  std::vector<DeadLetterView> dead_letters;
  std::vector<ExceptionView> exceptions;
  std::vector<Condition> node_conditions;
  access::CutTokens cut_tokens;  // of the next namespace that is deleted
  NamespaceLeftovers leftovers;  // of the next that is made
  // The next deploy fails with this, when it has a message.
  DeployFailure deploy_failure;

  FakePlane() {
    config_and_secrets.namespaces = [this](std::string_view name) -> Status {
      if (!namespaces.contains(name)) return no_namespace(name);
      return ok();
    };
  }
  FakePlane(const FakePlane&) = delete;
  FakePlane& operator=(const FakePlane&) = delete;

  FakeSettings config_and_secrets;
  SettingsPlane& settings() override { return config_and_secrets; }

  // Whatever can fail fails with this, once.
  std::optional<Error> next_failure;

  // What was asked last.
  LogQuery last_log_query;
  DeadLetterChoice last_choice;
  DeployOptions last_deploy_options;
  std::string last_artefact;
  std::uint64_t last_undo = 0;
  std::size_t subscribers() const {
    return event_watchers_.size() + log_watchers_.size() + request_watchers_.size();
  }

  // Runs the callbacks that wait.
  void settle() {
    while (!pending_.empty()) {
      for (auto& callback : std::exchange(pending_, {})) callback();
    }
  }
  std::size_t pending() const { return pending_.size(); }
  void emit(const Event& event) {
    for (const auto& [id, watcher] : std::map(event_watchers_)) {
      if (watcher.first.empty() || watcher.first == event.function) watcher.second(event);
    }
  }
  void emit(const LogRecord& record) {
    for (const auto& [id, watcher] : std::map(log_watchers_)) {
      if (watcher.first.empty() || watcher.first == record.function) watcher.second(record);
    }
  }

  void emit(const RequestRecord& record) {
    for (const auto& [id, watcher] : std::map(request_watchers_)) {
      if (watcher.first == record.function) watcher.second(record);
    }
  }

  void begin_deploy(const manifest::Function& function, const std::string& artefact,
                    const DeployOptions& options, DeployCallback callback) override {
    last_deploy_options = options;
    last_artefact = artefact;
    if (next_failure) deploy_failure.error = *std::exchange(next_failure, {});
    if (!deploy_failure.error.message.empty()) {
      pending_.push_back([callback, failure = deploy_failure] {
        callback(tl::unexpected<DeployFailure>(failure));
      });
      return;
    }
    const std::string name = manifest::qualified_name(function.metadata());
    FunctionView& view = functions[name];
    view.manifest = function;
    view.artefact = artefact;
    view.scaled = false;
    view.state_words = "asleep";
    const std::string path = manifest::path_for_clients(function);
    view.url = path.empty() ? "" : "http://127.0.0.1:8080" + path;
    DeployReceipt receipt{name, ++view.revision, view.url};
    receipt.checked = options.check;
    receipt.start_us = options.check ? 1100 : 0;
    receipt.aside = !options.traffic;
    pending_.push_back([callback, receipt] { callback(receipt); });
  }
  void remove(std::string_view name, StatusCallback callback) override {
    const auto it = functions.find(name);
    Status status = next_failure            ? Status(*std::exchange(next_failure, {}))
                    : it == functions.end() ? Status(none(name))
                                            : ok();
    if (it != functions.end()) functions.erase(it);
    pending_.push_back([callback, status] { callback(status); });
  }
  Status scale(std::string_view name, std::optional<std::int32_t> min,
               std::optional<std::int32_t> max) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = functions.find(name);
    if (it == functions.end()) return none(name);
    auto& scaling = *it->second.manifest.mutable_spec()->mutable_scaling();
    if (min.value_or(scaling.min()) > max.value_or(scaling.max()))
      return fail(ErrorCode::kInvalidArgument,
                  "scale " + std::string(name) + ": minimum is above maximum");
    if (min) scaling.set_min(*min);
    if (max) scaling.set_max(*max);
    it->second.scaled = true;
    return ok();
  }
  std::vector<NamespaceView> list_namespaces() override {
    std::vector<NamespaceView> views;
    for (const auto& [name, view] : namespaces) views.push_back(counted(view));
    return views;
  }
  Result<NamespaceView> get_namespace(std::string_view name) override {
    const auto it = namespaces.find(name);
    if (it == namespaces.end()) return no_namespace(name).value();
    return counted(it->second);
  }
  Status namespace_is_there(std::string_view name) const override {
    if (!namespaces.contains(name)) return no_namespace(name);
    return ok();
  }
  Result<NamespaceLeftovers> create_namespace(const manifest::Namespace& wanted) override {
    if (next_failure) return *std::exchange(next_failure, {});
    if (namespaces.contains(wanted.name))
      return fail(ErrorCode::kAlreadyExists, "create namespace: it is there already");
    if (const auto wrong = manifest::check(wanted))
      return fail(ErrorCode::kInvalidArgument, "create namespace: " + *wrong);
    namespaces[wanted.name] = {wanted};
    return std::exchange(leftovers, {});
  }
  Status set_namespace(std::string_view name, const NamespaceChange& change) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = namespaces.find(name);
    if (it == namespaces.end()) return no_namespace(name);
    manifest::Namespace& changed = it->second.name_space;
    if (change.pods) changed.quota.pods = *change.pods;
    if (change.memory_bytes) changed.quota.memory_bytes = *change.memory_bytes;
    if (change.cpu_millicores) changed.quota.cpu_millicores = *change.cpu_millicores;
    if (change.hosts) changed.hosts = *change.hosts;
    return ok();
  }
  void delete_namespace(std::string_view name, bool with_contents,
                        NamespaceCallback callback) override {
    const auto it = namespaces.find(name);
    Status status = next_failure ? Status(*std::exchange(next_failure, {})) : ok();
    if (it == namespaces.end()) {
      status = no_namespace(name);
    } else if (const auto inside = contents_words(counted(it->second));
               !inside.empty() && !with_contents) {
      status = fail(ErrorCode::kFailedPrecondition, "delete namespace: " + inside + " in it");
    }
    if (status) {
      namespaces.erase(it);
      std::erase_if(config_and_secrets.objects, [&](const auto& object) {
        return manifest::split_qualified(object.first.second).name_space == name;
      });
    }
    Result<access::CutTokens> gone = std::exchange(cut_tokens, {});
    if (!status) gone = status.error();
    pending_.push_back([callback, gone] { callback(gone); });
  }
  std::vector<FunctionView> list_functions() override {
    std::vector<FunctionView> views;
    for (const auto& [name, view] : functions) views.push_back(view);
    return views;
  }
  Result<FunctionView> get_function(std::string_view name) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = functions.find(name);
    if (it == functions.end()) return none(name);
    return it->second;
  }
  std::vector<PodView> list_pods() override { return pods; }
  ReadyPool ready_pool() override { return ready; }
  Result<std::vector<RevisionView>> list_revisions(std::string_view name) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = revisions.find(name);
    if (it == revisions.end()) return none(name);
    return it->second;
  }
  Result<RevisionView> get_revision(std::string_view name, std::uint64_t number) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto function = functions.find(name);
    for (const RevisionView& revision : revisions[std::string(name)]) {
      if (revision.number != number || function == functions.end()) continue;
      RevisionView view = revision;
      view.manifest = function->second.manifest;
      return view;
    }
    return fail(ErrorCode::kNotFound, "find revision " + std::to_string(number) + " of " +
                                          std::string(name) + ": there is none");
  }
  Result<RolloutView> rollout(std::string_view name) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = rollouts.find(name);
    if (it != rollouts.end()) return it->second;
    if (!functions.contains(name)) return none(name);
    RolloutView plain;
    plain.function = name;
    plain.serving = {{1, 100, 0, 0}};
    return plain;
  }
  Status pause_rollout(std::string_view name) override {
    return change(name, RolloutState::kProgressing, RolloutState::kPaused);
  }
  Status resume_rollout(std::string_view name) override {
    return change(name, RolloutState::kPaused, RolloutState::kProgressing);
  }
  void undo_rollout(std::string_view name, std::uint64_t number, DeployCallback callback) override {
    last_undo = number;
    tl::expected<DeployReceipt, DeployFailure> outcome;
    const auto it = functions.find(name);
    if (next_failure) {
      outcome =
          tl::unexpected<DeployFailure>(DeployFailure{*std::exchange(next_failure, {}), {}, 0});
    } else if (it == functions.end()) {
      outcome = tl::unexpected<DeployFailure>(DeployFailure{none(name).value(), {}, 0});
    } else {
      outcome->name = name;
      outcome->revision = number == 0 ? 1 : number;
      outcome->url = it->second.url;
    }
    pending_.push_back([callback, outcome] { callback(outcome); });
  }
  Status set_traffic(std::string_view name, const std::vector<TrafficShare>& shares) override {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = rollouts.find(name);
    if (it == rollouts.end()) return none(name);
    it->second.serving.clear();
    for (const TrafficShare& share : shares)
      it->second.serving.push_back({share.revision, share.percent, 1, 1});
    return ok();
  }
  std::vector<Condition> conditions() override { return node_conditions; }
  NodeInfo node_info() override {
    return {"0.1.0", "http://127.0.0.1:8080", "/var/lib/subito", 1'795'471'445'123'000'000, 4711};
  }
  void list_dead_letters(std::string_view name, std::string_view trigger,
                         DeadLettersCallback callback) override {
    Result<std::vector<DeadLetterView>> found = std::vector<DeadLetterView>();
    for (const DeadLetterView& letter : dead_letters) {
      if (trigger.empty() || letter.trigger == trigger) found->push_back(letter);
    }
    if (!functions.contains(name)) found = none(name).value();
    if (next_failure) found = *std::exchange(next_failure, {});
    pending_.push_back([callback, found] { callback(found); });
  }
  void settle_dead_letters(std::string_view name, const DeadLetterChoice& choice,
                           CountCallback callback) override {
    last_choice = choice;
    const std::size_t settled = std::erase_if(dead_letters, [&](const DeadLetterView& letter) {
      return (choice.id.empty() || letter.id == choice.id) &&
             (choice.trigger.empty() || letter.trigger == choice.trigger);
    });
    Result<std::size_t> count = settled;
    if (!functions.contains(name)) count = none(name).value();
    if (next_failure) count = *std::exchange(next_failure, {});
    pending_.push_back([callback, count] { callback(count); });
  }
  SubscriptionId subscribe_events(std::string_view function, EventCallback callback) override {
    const SubscriptionId id = ids_.next();
    event_watchers_[id] = {std::string(function), std::move(callback)};
    return id;
  }
  void logs(const LogQuery& query, LogsCallback callback) override {
    pending_.push_back([callback, found = find_logs(query)] { callback(found); });
  }
  std::vector<ExceptionView> list_exceptions(std::string_view function) override {
    std::vector<ExceptionView> found;
    for (const ExceptionView& view : exceptions) {
      if (function.empty() || view.function == function) found.push_back(view);
    }
    return found;
  }
  SubscriptionId subscribe_logs(std::string_view function, LogCallback callback) override {
    const SubscriptionId id = ids_.next();
    log_watchers_[id] = {std::string(function), std::move(callback)};
    return id;
  }
  SubscriptionId subscribe_requests(std::string_view function, RequestCallback callback) override {
    const SubscriptionId id = ids_.next();
    request_watchers_[id] = {std::string(function), std::move(callback)};
    return id;
  }
  void unsubscribe(SubscriptionId id) override {
    event_watchers_.erase(id);
    log_watchers_.erase(id);
    request_watchers_.erase(id);
  }

 private:
  NamespaceView counted(NamespaceView view) const {
    view.objects = config_and_secrets.counts(view.name_space.name);
    return view;
  }
  static tl::unexpected<Error> no_namespace(std::string_view name) {
    return fail(ErrorCode::kNotFound, "find namespace: " + manifest::no_namespace_words(name));
  }
  static tl::unexpected<Error> none(std::string_view name) {
    return fail(ErrorCode::kNotFound, "find function " + std::string(name) + ": there is none");
  }
  Status change(std::string_view name, RolloutState from, RolloutState to) {
    if (next_failure) return *std::exchange(next_failure, {});
    const auto it = rollouts.find(name);
    if (it == rollouts.end()) return none(name);
    if (it->second.state != from)
      return fail(ErrorCode::kFailedPrecondition, "there is no such rollout");
    it->second.state = to;
    return ok();
  }
  Result<std::vector<LogRecord>> find_logs(const LogQuery& query) {
    last_log_query = query;
    if (next_failure) return *std::exchange(next_failure, {});
    if (!functions.contains(query.function)) return none(query.function).value();
    std::vector<LogRecord> found;
    for (const LogRecord& record : records) {
      if (record.function == query.function && record.unix_ns >= query.since_unix_ns)
        found.push_back(record);
    }
    if (found.size() > query.tail)
      found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(query.tail));
    return found;
  }

  template <typename Callback>
  using Watchers = std::map<SubscriptionId, std::pair<std::string, Callback>>;

  std::vector<std::function<void()>> pending_;
  IdSource<SubscriptionId> ids_;
  Watchers<EventCallback> event_watchers_;
  Watchers<LogCallback> log_watchers_;
  Watchers<RequestCallback> request_watchers_;
};

// A node with two functions, two pods, events and logs: what the tests look at.
void fill(FakePlane& plane);

}  // namespace subito::api
