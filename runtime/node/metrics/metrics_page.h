// MetricsPage: one page of metrics, made in slices: first functions and pods are looked at, some a
// slice, then families are written one after another. Whoever wants the page asks for the next
// slice once a turn of the loop, so that no request waits for more than one.
//
// Owned by whoever serves it; on the loop's thread. Those of Parts outlive it; between two slices
// functions may come and go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/gateway/gateway.h"
#include "runtime/node/call_breakers.h"
#include "runtime/node/engine.h"
#include "runtime/node/functions.h"
#include "runtime/node/metrics/host_facts.h"
#include "runtime/node/metrics/loop_readings.h"
#include "runtime/node/metrics/series.h"
#include "runtime/node/traces/span_exporter.h"
#include "runtime/node/triggers/triggers.h"

namespace subito::node {

// What only the node knows.
struct NodeFacts {
  std::string_view version;
  std::int64_t started_unix_ns = 0;
  std::uint32_t sandboxes_wanted = 0;
  std::size_t gateway_connections = 0;
  std::size_t control_connections = 0;
  std::optional<bool> redis_ready;  // empty: it has none of its own
  std::uint64_t redis_restarts = 0;
  std::optional<std::int64_t> certificate_end_unix_s;  // empty: nothing is served by TLS
  std::uint64_t access_refused = 0;
  std::uint64_t audit_lost = 0;
  metrics::DurationBuckets loop_lag;
  std::vector<api::Condition> conditions;
  std::optional<SpanExporter::Counts> traces;  // empty: none are exported
};

class MetricsPage {
 public:
  struct Parts {
    Engine& engine;
    const Functions& functions;
    const CallBreakers& breakers;
    const gateway::Gateway& gateway;
    const Triggers* triggers = nullptr;  // null: there are none
    std::function<NodeFacts()> node;
    bool counted = true;            // false: nothing is, and there is no page
    LoopReadings* loops = nullptr;  // null: the node's loop is the only one
  };
  // A function is looked at in some 2 µs, a pod in some 100 (its memory), 64 KiB are written in
  // some 200.
  static constexpr std::size_t kFunctionsASlice = 64;
  static constexpr std::size_t kPodsASlice = 4;
  static constexpr std::size_t kSliceBytes = 64 << 10;

  MetricsPage(const Parts& parts, metrics::Format format);

  // What several loops have counted, before the first part.
  void set_loops(const std::vector<LoopReading>& loops);
  // The next part of the text, often empty, valid until the next call. Not after done().
  std::string_view next();
  bool done() const { return phase_ == Phase::kDone; }

 private:
  enum class Phase : std::uint8_t {
    kFunctions,
    kPods,
    kNode,
    kWriteRoutes,
    kWriteFunctions,
    kWriteEdges,
    kWriteTriggers,
    kEnd,
    kDone,
  };

  void look_at_functions();
  void look_at(const DeployedFunction& function);
  void measure_pods();
  void write_node();
  void write_process(const NodeFacts& node, const HostFacts& host);
  void write_host(const HostFacts& host);
  void write_connections(const NodeFacts& node);
  void write_pool(const NodeFacts& node);
  void write_traces(const NodeFacts& node);
  void write_loops();
  const std::vector<gateway::RouteMeter>& routes() const {
    return loops_.empty() ? parts_.gateway.meters().all() : routes_;
  }
  void write_decisions();
  template <typename Row>
  void write_rows(std::span<const Series<Row>> series, const std::vector<Row>& rows);
  void one(const metrics::Family& family, std::uint64_t value);
  void advance() { phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1); }

  const Parts parts_;
  std::string text_;
  metrics::Exposition page_;
  Phase phase_ = Phase::kFunctions;

  std::vector<std::string> names_;  // of the functions there were at first
  std::size_t looked_ = 0;
  std::vector<PodId> pods_;
  std::size_t measured_ = 0;

  std::vector<LoopReading> loops_;           // empty: there is one
  std::vector<gateway::RouteMeter> routes_;  // of loops_
  std::vector<FunctionRow> functions_;
  std::vector<EdgeRow> edges_;
  std::vector<TriggerRow> triggers_;
  std::unordered_map<FunctionId, std::size_t> row_of_;
  std::optional<std::size_t> other_;  // the row of those beyond kFunctionsMax
  std::uint64_t functions_beyond_ = 0, edges_beyond_ = 0, triggers_beyond_ = 0;

  std::size_t series_ = 0;  // that is written now
  std::size_t row_ = 0;
  bool headed_ = false;
};

}  // namespace subito::node
