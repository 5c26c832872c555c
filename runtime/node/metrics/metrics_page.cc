#include "runtime/node/metrics/metrics_page.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/time.h"

namespace subito::node {
namespace {

namespace families = metrics::families;
using metrics::label;

std::string both(std::string_view first, std::string_view value, std::string_view second,
                 std::string_view other_value) {
  return label(first, value) + "," + label(second, other_value);
}

// The row for one more of them: its own, or the last, which is of all beyond the limit.
template <typename Row>
Row& row_for(std::vector<Row>& rows, std::size_t rows_max, std::uint64_t& beyond,
             std::string_view label_name, std::string_view function, std::string_view name) {
  if (rows.size() < rows_max) {
    rows.emplace_back().labels = both("function", function, label_name, name);
    return rows.back();
  }
  ++beyond;
  if (rows.size() == rows_max) {
    rows.emplace_back().labels = both("function", kOtherSeries, label_name, kOtherSeries);
  }
  return rows.back();
}

}  // namespace

MetricsPage::MetricsPage(const Parts& parts, metrics::Format format)
    : parts_(parts), page_(format, text_) {
  names_.reserve(parts_.functions.all().size());
  functions_.reserve(std::min(parts_.functions.all().size(), Meters::kFunctionsMax + 1));
  for (const auto& [name, function] : parts_.functions.all()) names_.push_back(name);
}

std::string_view MetricsPage::next() {
  CHECK(!done());
  text_.clear();
  switch (phase_) {
    case Phase::kFunctions:
      look_at_functions();
      break;
    case Phase::kPods:
      measure_pods();
      break;
    case Phase::kNode:
      write_node();
      advance();
      break;
    case Phase::kWriteRoutes:
      write_rows(route_series(), routes());
      break;
    case Phase::kWriteFunctions:
      write_rows(function_series(), functions_);
      break;
    case Phase::kWriteEdges:
      write_rows(edge_series(), edges_);
      break;
    case Phase::kWriteTriggers:
      write_rows(trigger_series(), triggers_);
      break;
    case Phase::kEnd:
    case Phase::kDone:
      page_.end();
      advance();
      break;
  }
  return text_;
}

void MetricsPage::look_at_functions() {
  const std::size_t end = std::min(looked_ + kFunctionsASlice, names_.size());
  for (; looked_ < end; ++looked_) {
    if (const auto* function = parts_.functions.find(names_[looked_])) look_at(*function);
  }
  if (looked_ < names_.size()) return;
  for (const Pod* pod : parts_.engine.pods().all()) pods_.push_back(pod->id);
  if (other_) functions_[*other_].meters = parts_.engine.meters().shared();
  advance();
}

void MetricsPage::look_at(const DeployedFunction& function) {
  const std::string& name = function.revision->name;
  const TimePoint now = parts_.engine.now();
  const FunctionMeters* own = parts_.engine.meters().own(function.id);
  if (own == nullptr) ++functions_beyond_;
  std::size_t at = functions_.size();
  if (own == nullptr && other_) {
    at = *other_;
  } else {
    FunctionRow& row = functions_.emplace_back();
    row.labels = label("function", own == nullptr ? kOtherSeries : name);
    row.own = own != nullptr;
    if (own != nullptr) row.meters = *own;
    if (own == nullptr) other_ = at;
  }
  row_of_[function.id] = at;
  functions_[at].revision = function.revision->number;
  functions_[at].in_service = function.revision->out_of_service.empty();
  for (const FunctionId lane : parts_.engine.lanes(name)) {
    if (const auto view = parts_.engine.scheduler().function(lane)) {
      add_view(functions_[at], *view, now);
    }
  }
  for (const api::BreakerView& view : parts_.breakers.views(name, now, wall_clock_nanoseconds())) {
    add_breaker(row_for(edges_, kEdgesMax, edges_beyond_, "called", name, view.call), view);
  }
  if (parts_.triggers == nullptr) return;
  for (const api::TriggerView& view : parts_.triggers->views(name)) {
    add_trigger(row_for(triggers_, kTriggersMax, triggers_beyond_, "trigger", name, view.name),
                view);
  }
}

void MetricsPage::measure_pods() {
  PodTable& table = parts_.engine.pods();
  const std::size_t end = std::min(measured_ + kPodsASlice, pods_.size());
  for (; measured_ < end; ++measured_) {
    const Pod* pod = table.find(pods_[measured_]);
    if (pod == nullptr) continue;
    const auto row = row_of_.find(pod->revision->function);
    if (row == row_of_.end()) continue;
    functions_[row->second].memory_bytes += table.home().memory_bytes(pod->id);
  }
  if (measured_ == pods_.size()) advance();
}

void MetricsPage::one(const metrics::Family& family, std::uint64_t value) {
  page_.family(family);
  page_.value({}, value);
}

void MetricsPage::write_node() {
  const NodeFacts node = parts_.node();
  const HostFacts host = read_host_facts();
  write_process(node, host);
  write_host(host);
  write_connections(node);
  write_loops();
  const scheduler::NodeView view = parts_.engine.scheduler().node();
  one(families::kNodePods, view.pods);
  one(families::kNodePodsLimit, view.limits.pods_max);
  one(families::kNodeWaiting, view.waiting);
  one(families::kNodeWaitingLimit, view.limits.waiting_max);
  one(families::kNodeRunning, view.running);
  one(families::kFunctions, parts_.functions.all().size());
  write_pool(node);
  write_decisions();
  write_traces(node);
  std::size_t routes_beyond = parts_.gateway.meters().overflowed();
  for (const LoopReading& loop : loops_) routes_beyond = std::max(routes_beyond, loop.overflowed);
  page_.family(families::kOverflow);
  page_.value(label("label", "function"), functions_beyond_);
  page_.value(label("label", "route"), routes_beyond);
  page_.value(label("label", "called"), edges_beyond_);
  page_.value(label("label", "trigger"), triggers_beyond_);
}

void MetricsPage::write_process(const NodeFacts& node, const HostFacts& host) {
  page_.family(families::kNode);
  page_.value(label("version", node.version), 1);
  page_.family(families::kCpu);
  page_.seconds({}, host.process_cpu);
  page_.family(families::kCondition);
  for (const api::Condition& condition : node.conditions) {
    page_.value(label("condition", condition.name), condition.ok ? 1 : 0);
  }
  one(families::kResident, host.resident_bytes);
  one(families::kOpenFds, host.open_fds);
  one(families::kMaxFds, host.max_fds);
  page_.family(families::kStartTime);
  page_.seconds({}, Duration(node.started_unix_ns));
  page_.family(families::kLoopCpu);
  page_.seconds({}, host.thread_cpu);
  page_.family(families::kLoopLag);
  page_.histogram({}, node.loop_lag);
}

void MetricsPage::write_host(const HostFacts& host) {
  one(families::kHostCpus, host.cpus);
  page_.family(families::kHostCpu);
  page_.seconds(label("mode", "busy"), host.busy);
  page_.seconds(label("mode", "idle"), host.idle);
  page_.seconds(label("mode", "stolen"), host.stolen);
  page_.family(families::kHostMemory);
  page_.value(label("state", "total"), host.memory_total_bytes);
  page_.value(label("state", "available"), host.memory_available_bytes);
  page_.family(families::kHostPressure);
  for (std::size_t i = 0; i < kPressures.size(); ++i) {
    if (host.pressure[i]) page_.seconds(label("resource", kPressures[i]), *host.pressure[i]);
  }
}

void MetricsPage::write_connections(const NodeFacts& node) {
  page_.family(families::kConnections);
  page_.value(label("listener", "gateway"), node.gateway_connections);
  page_.value(label("listener", "control"), node.control_connections);
}

void MetricsPage::set_loops(const std::vector<LoopReading>& loops) {
  loops_ = loops;
  routes_ = routes_of(loops);
}

void MetricsPage::write_loops() {
  const auto of_each = [this](const metrics::Family& family, const auto& write) {
    page_.family(family);
    for (std::size_t i = 0; i < loops_.size(); ++i)
      write(label("loop", std::to_string(i)), loops_[i]);
  };
  of_each(families::kGatewayLoopConnections, [this](const auto& labels, const LoopReading& loop) {
    page_.value(labels, loop.connections);
  });
  of_each(families::kGatewayLoopRequests, [this](const auto& labels, const LoopReading& loop) {
    page_.value(labels, requests_of(loop));
  });
  of_each(families::kGatewayLoopCpu,
          [this](const auto& labels, const LoopReading& loop) { page_.seconds(labels, loop.cpu); });
}

void MetricsPage::write_pool(const NodeFacts& node) {
  const pods::ReadyPool pool = parts_.engine.pods().home().ready_pool();
  one(families::kSandboxes, pool.sandboxes);
  one(families::kSandboxesWanted, node.sandboxes_wanted);
  one(families::kSandboxesMemory, pool.memory_bytes);
  one(families::kTemplates, pool.templates);
  one(families::kTemplatesMemory, pool.template_bytes);
  page_.family(families::kRedisUp);
  if (node.redis_ready) page_.value({}, *node.redis_ready ? 1 : 0);
  page_.family(families::kRedisRestarts);
  if (node.redis_ready) page_.value({}, node.redis_restarts);
  page_.family(families::kCertificateEnd);
  if (node.certificate_end_unix_s)
    page_.value({}, static_cast<std::uint64_t>(*node.certificate_end_unix_s));
  one(families::kAccessRefused, node.access_refused);
  one(families::kAuditLost, node.audit_lost);
}

void MetricsPage::write_traces(const NodeFacts& node) {
  constexpr std::array<std::string_view, SpanExporter::kOutcomes> kOutcomes = {
      "exported", "dropped", "rejected", "failed"};
  page_.family(families::kTraceSpans);
  for (std::size_t i = 0; node.traces && i < kOutcomes.size(); ++i) {
    page_.value(label("outcome", kOutcomes[i]), node.traces->spans[i]);
  }
  page_.family(families::kTraceSpansQueued);
  if (node.traces) page_.value({}, node.traces->queued);
}

void MetricsPage::write_decisions() {
  constexpr std::array<std::string_view, 8> kWaiting = {
      "nothing_runs",     "service_unknown", "wait_costs_more", "waited_long_enough",
      "start_costs_more", "no_pod_free",     "plan_wants_more", "plan_decides"};
  constexpr std::array<std::string_view, 6> kPlanned = {"idle_time", "average",  "panic",
                                                        "delayed",   "expected", "to_zero"};
  constexpr std::array<std::string_view, 10> kDrains = {
      "idle",         "evicted", "yielded",      "quota",    "scaled_down",
      "old_revision", "removed", "unresponsive", "worn_out", "closing"};
  constexpr std::array<std::string_view, 3> kStops = {"start_timeout", "drain_timeout",
                                                      "unresponsive"};
  const Meters& meters = parts_.engine.meters();
  page_.family(families::kDecisions);
  const std::string start = label("decision", "start");
  write_counts(page_, start, "reason", kWaiting, meters.starts_waiting);
  write_counts(page_, start, "reason", kPlanned, meters.starts_planned);
  page_.value(start + "," + label("reason", "minimum"), meters.starts_minimum);
  write_counts(page_, label("decision", "drain"), "reason", kDrains, meters.drains);
  write_counts(page_, label("decision", "stop"), "reason", kStops, meters.stops);
}

template <typename Row>
void MetricsPage::write_rows(std::span<const Series<Row>> series, const std::vector<Row>& rows) {
  while (series_ < series.size()) {
    if (!std::exchange(headed_, true)) page_.family(*series[series_].family);
    for (; row_ < rows.size(); ++row_) {
      if (text_.size() >= kSliceBytes) return;
      series[series_].write(page_, rows[row_]);
    }
    ++series_;
    row_ = 0;
    headed_ = false;
  }
  series_ = 0;
  advance();
}

}  // namespace subito::node
