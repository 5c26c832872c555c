#include "runtime/node/metrics/series.h"

namespace subito::node {
namespace {

namespace families = metrics::families;
using metrics::Exposition;
using metrics::label;
using Words = std::string_view;

// By the enumerators, as programs look for them: they never change their meaning.
constexpr std::array<Words, 4> kOrigins = {"client", "function", "trigger", "operator"};
constexpr std::array<Words, kStartModes> kModes = {"pooled", "fresh", "template", "process"};
constexpr std::array<Words, 3> kStartWhys = {"waiting", "minimum", "planned"};
constexpr std::array<Words, 5> kExitKinds = {"drained", "crashed", "start_failed", "killed",
                                             "out_of_memory"};
constexpr std::array<Words, 5> kPodStates = {"starting", "idle", "busy", "draining", "stopping"};
constexpr std::array<Words, 3> kBreakerStates = {"closed", "open", "half_open"};
constexpr std::array<Words, kCodeClasses> kCodes = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array<Words, 11> kRefusals = {"queue_full",    "queue_too_long", "in_flight_limit",
                                             "queue_timeout", "deadline",       "crash_loop",
                                             "function_gone", "node_full",      "pod_died",
                                             "start_failed",  "node_closing"};

void write_starts(Exposition& page, const FunctionRow& row) {
  for (std::size_t mode = 0; mode < kStartModes; ++mode) {
    write_counts(page, row.labels + "," + label("mode", kModes[mode]), "reason", kStartWhys,
                 row.meters.starts[mode]);
  }
}

void write_start_durations(Exposition& page, const FunctionRow& row) {
  for (std::size_t mode = 0; mode < kStartModes; ++mode) {
    const metrics::DurationBuckets& took = row.meters.start_duration[mode];
    if (took.count() > 0) page.histogram(row.labels + "," + label("mode", kModes[mode]), took);
  }
}

// All of them from the beginning: the first crash is to be seen as a rise.
void write_exits(Exposition& page, const FunctionRow& row) {
  for (std::size_t i = 0; i < kExitKinds.size(); ++i) {
    page.value(row.labels + "," + label("reason", kExitKinds[i]), row.meters.exits.at(i));
  }
}

void write_pods(Exposition& page, const FunctionRow& row) {
  for (std::size_t i = 0; i < kPodStates.size(); ++i) {
    page.value(row.labels + "," + label("state", kPodStates[i]), row.pods[i]);
  }
}

void write_histogram(Exposition& page, const std::string& labels,
                     const metrics::DurationBuckets& buckets) {
  if (buckets.count() > 0) page.histogram(labels, buckets);
}

void write_breaker_states(Exposition& page, const EdgeRow& row) {
  for (std::size_t i = 0; i < kBreakerStates.size(); ++i) {
    page.value(row.labels + "," + label("state", kBreakerStates[i]), row.states[i]);
  }
}

constexpr Series<FunctionRow> kFunctionSeries[] = {
    {&families::kRevision,
     [](Exposition& page, const FunctionRow& row) {
       if (row.own) page.value(row.labels, row.revision);
     }},
    {&families::kInService,
     [](Exposition& page, const FunctionRow& row) {
       if (row.own) page.value(row.labels, row.in_service ? 1 : 0);
     }},
    {&families::kBackingOff,
     [](Exposition& page, const FunctionRow& row) {
       if (row.own) page.value(row.labels, row.backing_off ? 1 : 0);
     }},
    {&families::kInvocations,
     [](Exposition& page, const FunctionRow& row) {
       write_counts(page, row.labels, "origin", kOrigins, row.meters.invocations);
     }},
    {&families::kRequests,
     [](Exposition& page, const FunctionRow& row) {
       write_codes(page, row.labels, row.meters.ended);
     }},
    {&families::kDuration,
     [](Exposition& page, const FunctionRow& row) {
       write_histogram(page, row.labels, row.meters.duration);
     }},
    {&families::kQueue,
     [](Exposition& page, const FunctionRow& row) {
       write_histogram(page, row.labels, row.meters.queue);
     }},
    {&families::kCold,
     [](Exposition& page, const FunctionRow& row) { page.value(row.labels, row.meters.cold); }},
    {&families::kRepeats,
     [](Exposition& page, const FunctionRow& row) { page.value(row.labels, row.meters.repeats); }},
    {&families::kRefused,
     [](Exposition& page, const FunctionRow& row) {
       write_counts(page, row.labels, "reason", kRefusals, row.meters.refused);
     }},
    {&families::kFunctionCpu,
     [](Exposition& page, const FunctionRow& row) { page.seconds(row.labels, row.meters.cpu); }},
    {&families::kStarts, write_starts},
    {&families::kStartDuration, write_start_durations},
    {&families::kExits, write_exits},
    {&families::kPods, write_pods},
    {&families::kPodsLimit,
     [](Exposition& page, const FunctionRow& row) { page.value(row.labels, row.pods_limit); }},
    {&families::kWaiting,
     [](Exposition& page, const FunctionRow& row) { page.value(row.labels, row.waiting); }},
    {&families::kRunning,
     [](Exposition& page, const FunctionRow& row) { page.value(row.labels, row.running); }},
    {&families::kMemory,
     [](Exposition& page, const FunctionRow& row) { page.value(row.labels, row.memory_bytes); }},
};

constexpr Series<EdgeRow> kEdgeSeries[] = {
    {&families::kBreakerState, write_breaker_states},
    {&families::kBreakerOpened,
     [](Exposition& page, const EdgeRow& row) { page.value(row.labels, row.opened); }},
    {&families::kBreakerRefused,
     [](Exposition& page, const EdgeRow& row) { page.value(row.labels, row.refused); }},
};

constexpr Series<TriggerRow> kTriggerSeries[] = {
    {&families::kDeliveries,
     [](Exposition& page, const TriggerRow& row) {
       page.value(row.labels + "," + label("outcome", "delivered"), row.delivered);
       page.value(row.labels + "," + label("outcome", "failed"), row.failed);
     }},
    {&families::kDeadLetters,
     [](Exposition& page, const TriggerRow& row) { page.value(row.labels, row.dead_letters); }},
    {&families::kTriggerWaiting,
     [](Exposition& page, const TriggerRow& row) {
       if (row.waiting) page.value(row.labels, *row.waiting);
     }},
};

constexpr Series<gateway::RouteMeter> kRouteSeries[] = {
    {&families::kRouteRequests,
     [](Exposition& page, const gateway::RouteMeter& route) {
       if (route.gone && route.duration.count() == 0) return;
       write_codes(page, label("route", route.name), route.ended);
     }},
    {&families::kRouteDuration,
     [](Exposition& page, const gateway::RouteMeter& route) {
       if (route.duration.count() > 0) page.histogram(label("route", route.name), route.duration);
     }},
};

}  // namespace

void add_view(FunctionRow& row, const scheduler::FunctionView& view, TimePoint now) {
  const std::uint32_t pods[] = {view.starting, view.idle, view.ready - view.idle, view.draining,
                                view.stopping};
  for (std::size_t i = 0; i < row.pods.size(); ++i) row.pods[i] += pods[i];
  row.pods_limit += view.pods_max;
  row.waiting += view.waiting;
  row.running += view.running;
  row.backing_off = row.backing_off || (view.failures > 0 && view.backoff_until > now);
}

void add_breaker(EdgeRow& row, const api::BreakerView& view) {
  ++row.states[static_cast<std::size_t>(view.state)];
  row.opened += view.times_opened;
  row.refused += view.calls_refused;
}

void add_trigger(TriggerRow& row, const api::TriggerView& view) {
  row.delivered += view.delivered;
  row.failed += view.failed;
  row.dead_letters += view.dead_letters;
  if (view.waiting) row.waiting = row.waiting.value_or(0) + *view.waiting;
}

std::span<const Series<FunctionRow>> function_series() {
  return kFunctionSeries;
}

std::span<const Series<EdgeRow>> edge_series() {
  return kEdgeSeries;
}

std::span<const Series<TriggerRow>> trigger_series() {
  return kTriggerSeries;
}

std::span<const Series<gateway::RouteMeter>> route_series() {
  return kRouteSeries;
}

// A rate of errors needs all of them from the beginning; 1xx end no request.
void write_codes(metrics::Exposition& page, const std::string& fixed,
                 const std::array<std::uint64_t, kCodeClasses>& ended) {
  constexpr std::size_t kInterim = 1;
  for (std::size_t i = 0; i < kCodeClasses; ++i) {
    if (i == kInterim && ended[i] == 0) continue;
    page.value(fixed + "," + label("code", kCodes[i]), ended[i]);
  }
}

}  // namespace subito::node
