// ApiHandler: the control API, HTTP and JSON under /v1, over a ControlPlane. openapi.yaml describes
// it. Owned by the node; lives on its control loop's thread. It holds no state of functions: it
// translates, checks what came, and stores artefacts as they stream in.
//
//   Server server = Server::create(loop, limits, handler); handler.attach(*server);
//
// The plane, the store and the loop outlive the handler. Once the plane shuts down it calls no
// callback that was given to it here. Every request is identified and admitted in one place
// (admission.cc) before anything of it is done, by access_table.h; there what changes something and
// what is refused goes to the audit log, too.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "deploy/access/audit_log.h"
#include "deploy/access/gate.h"
#include "deploy/api/access_table.h"
#include "deploy/api/control_plane.h"
#include "deploy/api/routes.h"
#include "deploy/api/selection.h"
#include "deploy/api/views.h"
#include "deploy/store/store.h"
#include "runtime/base/secret_memory.h"
#include "runtime/loop/loop.h"
#include "runtime/server/server.h"

namespace subito::api {

inline constexpr std::size_t kJsonBytesMax = 2 << 20;  // of a request's JSON; 413 beyond
// What a watcher or follower of logs may be behind when its connection is full; beyond, it is cut
// off. While it waits for older logs of the node what is beyond is left out, counted and told.
inline constexpr std::size_t kBacklogBytesMax = 1 << 20;
// Of logs of several functions: once so much is there no further function is asked.
inline constexpr std::size_t kGatheredBytesMax = 32 << 20;
inline constexpr std::size_t kStreamsMax = 64;  // watchers and followers at once; 429 beyond
inline constexpr std::size_t kStreamsPerTokenMax = 16;  // of those; 429 beyond
// A token is looked at again that often, and before each line, while it streams.
inline constexpr Duration kStreamsCheckedEach = std::chrono::seconds(1);

class ApiHandler final : public server::Handler {
 public:
  ApiHandler(ControlPlane& plane, store::Store& store, Loop& loop)
      : plane_(plane), store_(store), loop_(loop), check_(loop, [this] { end_streams(); }) {}
  ~ApiHandler() override;
  void attach(server::Server& server) { server_ = &server; }
  // Both outlive the handler; without a log nothing is written down. Without a gate the Unix
  // socket's mode is the access control, and nobody may do anything remotely.
  void set_access(access::Gate& gate, access::AuditLog* audit) {
    gate_ = &gate;
    audit_ = audit;
  }
  // Requests come over the network: each needs a token.
  void set_remote() { remote_ = true; }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override;
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override;
  void on_writable(server::ExchangeId id) override;
  void on_abort(server::ExchangeId id) override;

 private:
  using ExchangeId = server::ExchangeId;

  // One request until it is answered. Absent: answered, or gone.
  struct Exchange {
    enum class State : std::uint8_t {
      kReading,    // its JSON body comes
      kUploading,  // its body goes to the store
      kWaiting,    // the plane will call back, or the disk has the upload
      kStreaming,  // lines are sent as they come
    };
    State state = State::kReading;
    Match match;
    Parameters query;
    std::string body;
    std::optional<store::ArtefactWriter> upload;
    std::unique_ptr<Background> sync;  // of the upload
    SubscriptionId subscription;
    std::shared_ptr<const access::AuditLog::OnLine> audit_lines;  // they are followed
    std::string backlog;  // lines that wait for the connection to drain, or for those before
    bool full = false;
    LockedBytes secret;  // a secret's value, as it comes
    std::size_t secret_bytes = 0;
    std::uint64_t missed = 0;  // requests not told while it was full, log lines while it waited
    access::Identity who;
    std::unique_ptr<access::AuditRecord> audit;  // of what changes something, until it is answered
    std::string problem;                         // the type of the answer, if it is one
  };

  struct Gathering;

  void transition(Exchange& exchange, Exchange::State to);
  Exchange* find(ExchangeId id);
  void run(ExchangeId id, Exchange& exchange);

  // admission.cc. False: it was refused, and answered.
  bool identify(ExchangeId id, Exchange& exchange, const http::Fields& fields);
  bool admit(ExchangeId id, Exchange& exchange);
  bool admit_again(ExchangeId id, Exchange& exchange);  // once its body is whole
  bool is_allowed(ExchangeId id, Exchange& exchange, const Need& need);
  void refuse(ExchangeId id, Exchange& exchange, const access::Refusal& refusal);
  access::AuditRecord audit_record(ExchangeId id, const Exchange& exchange);
  void write_down(Exchange& exchange, int status);
  void write_down_cut(const access::AuditRecord& by, const access::CutTokens& tokens,
                      const std::string& why);
  void client_left(ExchangeId id, Exchange& exchange);
  void write_deserted(ExchangeId id, int status);
  void write_unfinished();

  // Each answers its exchange, now or later.
  void ready(ExchangeId id);
  void function_health(ExchangeId id, const std::string& name);
  void list_functions(ExchangeId id, const Exchange& exchange);
  void get_function(ExchangeId id, const std::string& name);
  void list_revisions(ExchangeId id, const std::string& name);
  void remove_function(ExchangeId id, Exchange& exchange);
  void list_pods(ExchangeId id, const Exchange& exchange);
  void deploy(ExchangeId id, Exchange& exchange);
  using DeployOutcome = tl::expected<DeployReceipt, DeployFailure>;
  void deployed(ExchangeId id, const DeployOutcome& outcome);
  void scale(ExchangeId id, const Exchange& exchange);
  // rollout_operations.cc
  void run_rollout(ExchangeId id, Exchange& exchange);
  void get_revision(ExchangeId id, const Exchange& exchange);
  void get_rollout(ExchangeId id, const std::string& name);
  void undo_rollout(ExchangeId id, Exchange& exchange);
  void set_traffic(ExchangeId id, const Exchange& exchange);
  // namespace_operations.cc
  void run_namespaces(ExchangeId id, Exchange& exchange);
  void answer_namespace(ExchangeId id, const std::string& name, int status);
  void create_namespace(ExchangeId id, Exchange& exchange);
  void write_down_leftovers(Exchange& exchange, const NamespaceLeftovers& left);
  void set_namespace(ExchangeId id, const Exchange& exchange);
  void delete_namespace(ExchangeId id, Exchange& exchange);
  Result<Selection> selected(const Parameters& query);
  void run_what_was_said(ExchangeId id, Exchange& exchange);
  // operations.cc
  void run_dead_letters(ExchangeId id, Exchange& exchange);
  void list_dead_letters(ExchangeId id, Exchange& exchange);
  void settle_dead_letters(ExchangeId id, Exchange& exchange);
  void find_artefact(ExchangeId id, Exchange& exchange);
  void begin_upload(ExchangeId id, Exchange& exchange);
  void sync_upload(ExchangeId id, Exchange& exchange);
  void finish_upload(ExchangeId id, const Status& synced);
  void watch(ExchangeId id, Exchange& exchange);
  // settings_operations.cc
  void run_settings(ExchangeId id, Exchange& exchange);
  void list_objects(ExchangeId id, const Exchange& exchange, ObjectKind kind);
  void get_object(ExchangeId id, const Exchange& exchange, ObjectKind kind);
  void change_config(ExchangeId id, const Exchange& exchange);
  static bool gather_secret(Exchange& exchange, std::string_view bytes);  // false: too much
  void set_secret(ExchangeId id, Exchange& exchange);
  void remove_object(ExchangeId id, const Exchange& exchange, ObjectKind kind);
  // access_operations.cc
  void run_access(ExchangeId id, Exchange& exchange);
  void who_am_i(ExchangeId id, const Exchange& exchange);
  void list_tokens(ExchangeId id);
  Status namespaces_are_there(const std::vector<access::Scope>& scopes);
  void create_token(ExchangeId id, Exchange& exchange);
  void read_audit(ExchangeId id, Exchange& exchange);
  void follow_audit(ExchangeId id, std::string lines);
  // log_operations.cc
  void logs(ExchangeId id, Exchange& exchange);
  void begin_gathering(ExchangeId id, Exchange& exchange,
                       const std::shared_ptr<Gathering>& gathering);
  void gather_logs(ExchangeId id, const std::shared_ptr<Gathering>& gathering);
  void logs_gathered(ExchangeId id, Gathering& gathering);
  void requests(ExchangeId id, Exchange& exchange);
  void list_exceptions(ExchangeId id, const Exchange& exchange);

  bool may_stream(ExchangeId id);
  bool may_go_on(const Exchange& exchange) const;
  void cut_off(ExchangeId id);
  void end_streams();
  void begin_stream(ExchangeId id, Exchange& exchange, const std::string& lines, bool end);
  void send_line(ExchangeId id, const std::string& json);

  void answer(ExchangeId id, int status, const std::string& json);
  void answer(ExchangeId id, const Problem& problem);
  void answer(ExchangeId id, const Error& error) { answer(id, problem_of(error)); }
  void send(ExchangeId id, http::ResponseHead&& head, const std::string& body);

  ControlPlane& plane_;
  store::Store& store_;
  Loop& loop_;
  server::Server* server_ = nullptr;
  std::map<ExchangeId, Exchange> exchanges_;
  std::size_t streams_ = 0;
  access::Gate* gate_ = nullptr;
  access::AuditLog* audit_ = nullptr;
  bool remote_ = false;
  Timer check_;                         // runs while a token streams
  std::weak_ptr<bool> artefact_check_;  // held by the one that is being looked at
  // Of clients that left while the plane did what they asked for: until it calls back.
  std::map<ExchangeId, std::unique_ptr<access::AuditRecord>> deserted_;
};

}  // namespace subito::api
