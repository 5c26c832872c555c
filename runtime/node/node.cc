#include "runtime/node/node.h"

#include <spdlog/spdlog.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <optional>
#include <utility>

#include "deploy/access/audit_log.h"
#include "deploy/access/gate.h"
#include "deploy/access/token_book.h"
#include "deploy/api/api_handler.h"
#include "deploy/store/store.h"
#include "runtime/bindings/redis_server.h"
#include "runtime/gateway/gateway.h"
#include "runtime/node/control.h"
#include "runtime/node/control_front.h"
#include "runtime/node/gateway_loops.h"
#include "runtime/node/health.h"
#include "runtime/node/listeners.h"
#include "runtime/node/logs/log_files.h"
#include "runtime/node/metrics/loop_lag.h"
#include "runtime/node/metrics/metrics_front.h"
#include "runtime/node/node_identity.h"
#include "runtime/node/node_watch.h"
#include "runtime/node/pod_requests.h"
#include "runtime/node/recorder.h"
#include "runtime/node/remote_api.h"
#include "runtime/node/token_guard.h"
#include "runtime/node/traces/curl_sender.h"
#include "runtime/node/traces/tracer.h"
#include "runtime/node/triggers/triggers.h"
#include "runtime/node/version.h"
#include "runtime/node/views.h"
#include "runtime/pods/sandbox_home.h"
#include "runtime/server/server.h"
#include "runtime/tls/certificate_files.h"

namespace subito::node {
namespace {

// On stop, if the disk does not answer: what is not written by then is lost.
constexpr Duration kLogsWrittenWait = std::chrono::seconds(2);

scheduler::NodeLimits node_limits(const NodeConfig& config) {
  scheduler::NodeLimits limits;
  limits.pods_max = config.pods_max;
  limits.cores = uv_available_parallelism();
  return limits;
}

class LiveNode final : public Node {
 public:
  LiveNode(Loop& loop, const NodeConfig& config, std::unique_ptr<store::Store> store,
           NodeIdentity self)
      : loop_(loop),
        config_(config),
        store_(std::move(store)),
        self_(std::move(self)),
        losses_(loop, [this] { logs_.tell_losses(wall_clock_nanoseconds()); }),
        symbolizer_(loop),
        reporter_(journal_, logs_, symbolizer_),
        placement_(std::make_unique<pods::SystemCores>(),
                   [this](PodId pod) { return engine_.pods().home().host_pid(pod); }),
        engine_(loop, node_limits(config), reporter_),
        request_feed_(engine_),
        dialer_(loop),
        breakers_([this](const std::string& caller, const std::string& reason,
                         const std::string& message) { reporter_.event(caller, reason, message); }),
        requests_(engine_, dialer_, breakers_,
                  [this](const std::string& name) { return find(name); }),
        triggers_(loop, dialer_, engine_, functions_,
                  [this](const std::string& function, const std::string& message) {
                    reporter_.event(function, "DeadLetter",
                                    message + "; `subito dead-letters " + function +
                                        "` lists what was given up");
                  }),
        gateway_(engine_),
        operator_gateway_(engine_, Origin::kOperator),
        settings_(store_->objects(), config.secret_key),
        remote_gateway_(engine_, Origin::kOperator),
        control_({loop, *store_, engine_, functions_, gateway_, journal_, logs_, reporter_,
                  request_feed_, breakers_,
                  [this](const std::string& name) {
                    if (redis_dialer_) redis_dialer_->forget(name);
                  },
                  kCrashReportWait, &triggers_, &operator_gateway_, &settings_, &remote_gateway_}),
        api_(control_, *store_, loop),
        loop_lag_(loop),
        control_metrics_(loop, page_parts()),
        metrics_(loop, page_parts()),
        control_front_(api_, operator_gateway_, control_metrics_),
        health_(log_condition),
        watch_({loop, health_, store_->folder(), wall_clock_nanoseconds, [this] { look_around(); },
                log_clock_step}),
        gateway_server_(server::Server::create(loop, server::Limits(), gateway_)),
        api_server_(server::Server::create(loop, api_limits(), control_front_)),
        metrics_server_(server::Server::create(loop, metrics_limits(), metrics_)),
        loops_({loop, engine_, gateway_, *gateway_server_, [this] { return why_not_ready(); }}),
        remote_api_(loop, {control_, *store_, remote_gateway_, page_parts()}),
        shutdown_delay_(loop, [this] { drain(); }),
        stop_grace_(loop, [this] { pods_ended(); }),
        logs_grace_(loop, [this] {
          spdlog::warn("the last logs are not written: the disk does not answer");
          logs_written();
        }) {
    logs_.on_losses([this] { losses_.start(kLossesToldEvery); });
    engine_.set_request_handler(requests_);
    if (config.metrics_off) stop_counting();
    if (config.pods_near) engine_.set_placement(&placement_);
    control_.set_health(&health_);
    attach();
  }

  void attach() {
    gateway_.set_readiness([this](const auto& tell) { tell(why_not_ready()); });
    gateway_.attach(*gateway_server_);
    operator_gateway_.attach(*api_server_);
    api_.attach(*api_server_);
    control_metrics_.attach(*api_server_);
    metrics_.attach(*metrics_server_);
  }
  void stop_counting() {
    engine_.stop_counting();
    for (gateway::Gateway* gateway : gateways()) gateway->stop_counting();
  }
  Status open_access();
  void open_loops();
  Status open_certificates();
  Status open_home();
  void open_logs();
  Status open_recording();
  Status open_traces();
  void start(std::function<void(Status)> ready) override;
  void stop(std::function<void()> done) override;
  void drain();
  void on_fatal(std::function<void(const Error&)> callback) override {
    engine_.set_on_home_lost(std::move(callback));
  }
  std::string gateway_url() const override { return url_; }
  std::string tls_url() const override { return tls_url_; }
  std::string api_url() const override { return api_url_; }
  bool reload() override {
    if (certificate_watch_) certificate_watch_->reload();
    return certificate_watch_.has_value();
  }
  std::string metrics_url() const override { return metrics_url_; }
  std::string api_socket() const override {
    return config_.api_socket.empty() ? store_->folder() + "/api.sock" : config_.api_socket;
  }

 private:
  FunctionId find(const std::string& name) const {
    const DeployedFunction* function = functions_.find(name);
    return function == nullptr ? FunctionId() : function->id;
  }
  std::array<gateway::Gateway*, 3> gateways() {
    return {&gateway_, &operator_gateway_, &remote_gateway_};
  }
  void look_around();
  std::string why_not_ready() const;
  MetricsPage::Parts page_parts();
  NodeFacts facts();
  Status start_redis(std::function<void(Status)> ready);
  Status use_redis(const bindings::RedisEndpoint& endpoint);
  Status serve();
  Status serve_tls();
  Status serve_metrics();
  void pods_ended();
  void logs_written();

  Loop& loop_;
  const NodeConfig config_;
  const std::unique_ptr<store::Store> store_;
  const NodeIdentity self_;
  const SystemClock clock_;
  std::optional<access::TokenBook> tokens_;
  std::optional<access::Gate> gate_;
  std::unique_ptr<access::AuditLog> audit_;
  std::optional<TokenGuard> token_guard_;
  std::unique_ptr<tls::CertificateFiles> certificates_;  // null: nothing is served by TLS
  std::optional<tls::CertificateWatch> certificate_watch_;
  Journal journal_;
  LogBook logs_;
  std::unique_ptr<LogFiles> log_files_;  // null: in memory alone
  Timer losses_;
  Symbolizer symbolizer_;
  Reporter reporter_;
  Functions functions_;
  std::unique_ptr<Recorder> recorder_;
  pods::CorePlacement placement_;
  std::unique_ptr<SpanExporter> exporter_;  // null, as the tracer: nothing is traced
  std::unique_ptr<Tracer> tracer_;
  Engine engine_;
  RequestFeed request_feed_;
  bindings::Dialer dialer_;
  std::optional<bindings::RedisServer> redis_server_;
  std::optional<bindings::RedisDialer> redis_dialer_;
  CallBreakers breakers_;
  PodRequests requests_;
  Triggers triggers_;
  gateway::Gateway gateway_;
  gateway::Gateway operator_gateway_;
  Settings settings_;
  gateway::Gateway remote_gateway_;
  Control control_;
  api::ApiHandler api_;
  LoopLag loop_lag_;
  MetricsFront control_metrics_;  // on the control socket
  MetricsFront metrics_;          // on a port of its own
  ControlFront control_front_;
  Health health_;
  NodeWatch watch_;
  const std::unique_ptr<server::Server> gateway_server_;
  const std::unique_ptr<server::Server> api_server_;
  const std::unique_ptr<server::Server> metrics_server_;
  GatewayLoops loops_;
  RemoteApi remote_api_;
  std::string url_;
  std::string tls_url_;
  std::string api_url_;
  std::string metrics_url_;
  std::int64_t started_unix_ns_ = 0;
  std::optional<Background> pool_;
  std::function<void()> stopped_;
  bool ended_ = false;  // only Redis is left
  Timer shutdown_delay_;
  Timer stop_grace_;
  Timer logs_grace_;
};

Status LiveNode::open_access() {
  ASSIGN_OR_RETURN(access::TokenBook tokens, access::TokenBook::load(*store_));
  tokens_.emplace(std::move(tokens));
  gate_.emplace(*tokens_, clock_, [] { return std::int64_t{wall_clock_nanoseconds()}; });
  ASSIGN_OR_RETURN(audit_, access::AuditLog::open(loop_, store_->folder() + "/audit"));
  token_guard_.emplace(loop_, *gate_, *audit_);
  control_.set_tokens(*tokens_);
  api_.set_access(*gate_, audit_.get());
  control_front_.set_guard(*token_guard_, *api_server_, false);
  gateway_.set_guard(*token_guard_);
  remote_api_.open(*gate_, *audit_, *token_guard_);
  return ok();
}

void LiveNode::open_loops() {
  loops_.open(config_.loops - 1, *token_guard_);
  if (config_.metrics_off) loops_.stop_counting();
  control_.publish_routes(loops_.tables());
}

Status LiveNode::open_certificates() {
  if (config_.tls_cert.empty()) return ok();
  ASSIGN_OR_RETURN(certificates_, tls::CertificateFiles::load(config_.tls_cert, config_.tls_key));
  if (certificates_->expired()) spdlog::warn("certificate {} has run out", config_.tls_cert);
  certificate_watch_.emplace(loop_, *certificates_, [this](const Status& read) {
    log_certificate(read, certificates_->current().subject(), config_.tls_cert);
  });
  return ok();
}

Status LiveNode::open_home() {
  pods::SandboxHomeConfig home;
  home.launcher.node_id = self_.id;
  home.launcher.uid_base = self_.uid_base;
  home.launcher.sandboxes_max = kUidsPerNode;
  home.pool_size = config_.pool_size;
  ASSIGN_OR_RETURN(auto sandboxes,
                   pods::SandboxHome::create(loop_, engine_.pods().home_events(), home));
  engine_.pods().set_home(std::move(sandboxes));
  return ok();
}

// A disk that keeps no logs is no reason to serve nobody.
void LiveNode::open_logs() {
  if (config_.logs.function_bytes_max == 0) return;
  auto folder = LogFolder::open(store_->folder() + "/logs", config_.logs);
  if (!folder) {
    spdlog::warn("logs are kept in memory only: {}", folder.error().message);
    return control_.set_log_fault(folder.error().message);
  }
  log_files_ = std::make_unique<LogFiles>(loop_, *std::move(folder));
  logs_.set_sink(log_files_.get());
  control_.set_log_files(log_files_.get());
}

Status LiveNode::open_recording() {
  if (config_.record_file.empty()) return ok();
  ASSIGN_OR_RETURN(recorder_, Recorder::create(loop_, config_.record_file, node_limits(config_)));
  engine_.record(*recorder_);
  return ok();
}

// Its thread begins before the loop's is held on a core, which it would inherit.
Status LiveNode::open_traces() {
  if (config_.traces_url.empty()) return ok();
  exporter_ = std::make_unique<SpanExporter>(make_curl_sender(config_.traces_url),
                                             traces::Sender{kVersion, self_.id});
  tracer_ =
      std::make_unique<Tracer>([this](traces::Span&& span) { exporter_->add(std::move(span)); });
  engine_.set_tracer(&*tracer_);
  const traces::Sampler sampler(config_.trace_share);
  for (gateway::Gateway* gateway : gateways()) gateway->sample(sampler);
  loops_.sample(sampler);
  triggers_.sample(sampler);
  return ok();
}

void LiveNode::start(std::function<void(Status)> ready) {
  // libuv makes its threads now: later they would inherit the core that the loop is held on.
  pool_.emplace(
      loop_, [] {}, [] {});
  if (Status free = check_ports(config_); !free) return loop_.defer([ready, free] { ready(free); });
  auto begun = start_redis([this, ready](Status redis) {
    if (!redis) return ready(std::move(redis));
    ready(serve());
  });
  if (!begun) loop_.defer([ready, begun] { ready(begun); });
}

Status LiveNode::start_redis(std::function<void(Status)> ready) {
  if (!config_.redis_address.empty()) {
    ASSIGN_OR_RETURN(bindings::RedisEndpoint endpoint,
                     bindings::parse_redis_endpoint(config_.redis_address));
    RETURN_IF_ERROR(use_redis(endpoint));
    loop_.defer([ready] { ready(ok()); });
    return ok();
  }
  bindings::RedisServerConfig redis;
  redis.folder = store_->folder() + "/redis";
  redis.binary = config_.redis_binary;
  redis_server_.emplace(loop_, dialer_, redis,
                        [this](bindings::RedisServer::State state, const std::string& reason) {
                          spdlog::info("redis {}: {}", to_string(state), reason);
                          look_around();
                        });
  placement_.set_companion([this] { return redis_server_->pid(); });
  return redis_server_->start([this, ready](Status status) {
    if (status) status = use_redis(redis_server_->endpoint());
    ready(std::move(status));
  });
}

Status LiveNode::use_redis(const bindings::RedisEndpoint& endpoint) {
  // Consumers of groups bear it: what a killed node had taken is its next one's at once.
  redis_dialer_.emplace(loop_, dialer_, bindings::RedisDialerConfig{endpoint});
  requests_.set_redis(&*redis_dialer_);
  triggers_.use_redis(endpoint, "subito-" + self_.id, [this] { look_around(); });
  return ok();
}

// At each look of the watch, and when Redis changes.
void LiveNode::look_around() {
  if (url_.empty() || ended_) return;  // it does not serve yet, or no more
  const std::int64_t now = wall_clock_nanoseconds();
  const std::string away = redis_server_ ? fault_of(redis_server_->state()) : triggers_.away();
  health_.set("redis", true, away.empty() ? "" : away + kWithoutRedis, now);
  if (log_files_) log_files_->try_again();
  health_.set("logs", false, control_.log_fault(), now);
  health_.set("audit", false, audit_->fault(), now);
}

std::string LiveNode::why_not_ready() const {
  if (stopped_) return "the node shuts down";
  const api::Condition* condition = health_.not_ready();
  return condition == nullptr ? "" : condition->name + ": " + condition->fault;
}

Status LiveNode::serve() {
  auto bound = loops_.listen(gateway_address(config_), nullptr);
  if (!bound) return not_listening(std::move(bound).error(), "subito up --listen");
  url_ = node::gateway_url(bound->host, bound->port);
  api::NodeInfo info;
  info.version = kVersion;
  info.gateway_url = url_;
  info.data_folder = store_->folder();
  info.started_unix_ns = started_unix_ns_ = wall_clock_nanoseconds();
  info.pid = ::getpid();
  control_.set_node_info(std::move(info));
  RETURN_IF_ERROR(control_.load());
  RETURN_IF_ERROR(told(api_server_->listen({server::Address::Kind::kUnix, api_socket(), 0})));
  RETURN_IF_ERROR(serve_tls());
  loops_.run();
  watch_.start();
  return serve_metrics();
}

Status LiveNode::serve_tls() {
  if (!config_.tls_host.empty()) {
    auto bound = loops_.listen(tls_address(config_), certificates_.get());
    if (!bound) return not_listening(std::move(bound).error(), "subito up --tls-listen");
    tls_url_ = https_url(*bound);
  }
  if (!config_.api_host.empty()) {
    auto bound = remote_api_.listen(api_address(config_), *certificates_);
    if (!bound) return not_listening(std::move(bound).error(), "subito up --api-listen");
    api_url_ = https_url(*bound);
  }
  return ok();
}

Status LiveNode::serve_metrics() {
  if (config_.metrics_host.empty()) return ok();
  auto bound = metrics_server_->listen(metrics_address(config_));
  if (!bound) return not_listening(std::move(bound).error(), "subito up --metrics");
  metrics_url_ = node::gateway_url(bound->host, bound->port) + std::string(kMetricsPath);
  return ok();
}

MetricsPage::Parts LiveNode::page_parts() {
  return {engine_,
          functions_,
          breakers_,
          gateway_,
          &triggers_,
          [this] { return facts(); },
          !config_.metrics_off,
          config_.loops > 1 ? &loops_ : nullptr};
}

NodeFacts LiveNode::facts() {
  NodeFacts facts;
  facts.version = kVersion;
  facts.started_unix_ns = started_unix_ns_;
  facts.sandboxes_wanted = config_.pool_size;
  facts.gateway_connections = gateway_server_->connections() + loops_.connections();
  facts.control_connections = api_server_->connections() + remote_api_.connections();
  if (redis_server_) {
    facts.redis_ready = redis_server_->state() == bindings::RedisServer::State::kReady;
    facts.redis_restarts = redis_server_->restarts();
  }
  if (certificates_) facts.certificate_end_unix_s = certificates_->current().ends_unix_s();
  facts.access_refused = audit_->refused();
  facts.audit_lost = audit_->lost();
  facts.loop_lag = loop_lag_.read();
  facts.conditions = health_.conditions();
  if (exporter_) facts.traces = exporter_->counts();
  return facts;
}

void LiveNode::stop(std::function<void()> done) {
  if (stopped_) return;
  stopped_ = std::move(done);
  if (config_.shutdown_delay == Duration::zero()) return drain();
  log_shutdown_delay(config_.shutdown_delay);
  shutdown_delay_.start(config_.shutdown_delay);
}

void LiveNode::drain() {
  watch_.stop();
  triggers_.stop();
  loops_.drain();
  api_server_->drain();
  remote_api_.drain();
  metrics_server_->drain();
  stop_grace_.start(kShutdownGrace);
  engine_.close([this] { pods_ended(); });
}

// All pods are gone, or their time is over: the home's end takes what is left with it.
void LiveNode::pods_ended() {
  if (!stopped_) return;
  stop_grace_.stop();
  if (exporter_) exporter_->stop();
  if (!log_files_) return logs_written();
  logs_grace_.start(kLogsWrittenWait);
  log_files_->close([this] { logs_written(); });
}

void LiveNode::logs_written() {
  if (!stopped_) return;
  logs_grace_.stop();
  auto done = [this, done = std::exchange(stopped_, nullptr)] { loops_.end(done); };
  ended_ = true;
  if (redis_server_ && redis_server_->state() != bindings::RedisServer::State::kStopped) {
    redis_server_->stop(std::move(done));
  } else {
    loop_.defer(std::move(done));
  }
}

}  // namespace

Result<std::unique_ptr<Node>> Node::create(Loop& loop, const NodeConfig& config) {
  ASSIGN_OR_RETURN(auto store, store::Store::open(config.data_folder));
  ASSIGN_OR_RETURN(NodeIdentity self, identity_of(store->folder()));
  auto node = std::make_unique<LiveNode>(loop, config, std::move(store), std::move(self));
  RETURN_IF_ERROR(node->open_access());
  node->open_loops();
  RETURN_IF_ERROR(node->open_certificates());
  node->open_logs();
  RETURN_IF_ERROR(node->open_recording());
  RETURN_IF_ERROR(node->open_traces());
  RETURN_IF_ERROR(node->open_home());
  return node;
}

}  // namespace subito::node
