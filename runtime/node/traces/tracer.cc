#include "runtime/node/traces/tracer.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/traces/trace_record.h"

namespace subito::node {
namespace {

using traces::Span;
using traces::SpanKind;

// A clock that is set in a jump moves the spans after it; a smaller difference is the clock's own
// drift, which must not tear a trace.
constexpr std::int64_t kJumpNs = 50'000'000;
constexpr std::size_t kNameBytesMax = 64;

SpanKind kind_of(Origin origin) {
  return origin == Origin::kTrigger ? SpanKind::kConsumer : SpanKind::kServer;
}

void set_status(Span& span, int status, const std::string& failure, int failed_from) {
  if (status != 0) span.attributes.emplace_back("http.response.status_code", std::int64_t{status});
  span.failed = status >= failed_from || !failure.empty();
  if (!span.failed) return;
  span.failure = failure;
  span.attributes.emplace_back("error.type", failure.empty() ? std::to_string(status) : failure);
}

}  // namespace

Tracer::Tracer(Sink sink) : sink_(std::move(sink)) {
  CHECK(::getrandom(&state_, sizeof state_, 0) == sizeof state_);
}

// splitmix64 (Steele, Lea and Flood, 2014); never 0, which is no id.
std::uint64_t Tracer::new_id() {
  std::uint64_t id = 0;
  while (id == 0) {
    id = (state_ += 0x9e3779b97f4a7c15U);
    id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9U;
    id = (id ^ (id >> 27)) * 0x94d049bb133111ebU;
    id ^= id >> 31;
  }
  return id;
}

void Tracer::look_at_clock(TimePoint now) {
  const std::int64_t offset = wall_clock_nanoseconds() - now.time_since_epoch().count();
  if (std::abs(offset - offset_) > kJumpNs) offset_ = offset;
}

void Tracer::begin(InvocationRecord& record) {
  const auto from = traces::parse_traceparent(record.request.traceparent);
  if (!from) return;
  if (record.request.callers.empty()) look_at_clock(record.arrived);
  record.trace = std::make_unique<InvocationTrace>();
  record.trace->from = *from;
  record.trace->server = new_id();
  record.trace->handler = new_id();
  record.request.traceparent = traces::to_traceparent({from->trace, record.trace->handler, true});
}

Span Tracer::span(const InvocationRecord& record, std::string name, std::uint64_t parent,
                  TimePoint begin, TimePoint end) {
  Span span;
  span.trace = record.trace->from.trace;
  span.id = new_id();
  span.parent = parent;
  span.tracestate = record.request.tracestate;
  span.name = std::move(name);
  span.start_unix_ns = unix_ns(begin);
  span.end_unix_ns = unix_ns(std::max(begin, end));
  span.service = record.revision->name;
  return span;
}

// The start of a pod that was begun for others may be older than the wait of this one: what of it
// this one waited for is told.
void Tracer::start_spans(const InvocationRecord& record, const Pod* pod, TimePoint begin,
                         TimePoint end) {
  Span start = span(record, "start", record.trace->server, begin, end);
  const std::uint64_t id = start.id;
  if (pod != nullptr) {
    start.attributes.emplace_back("subito.start.mode", std::string(pods::to_string(pod->mode)));
    start.attributes.emplace_back("faas.instance", pod->name);
  }
  sink_(std::move(start));
  if (pod == nullptr || !pod->hello || pod->began == TimePoint()) return;
  const std::array<std::pair<const char*, TimePoint>, 3> steps = {
      {{"sandbox", pod->launched}, {"exec", pod->began}, {"hello", *pod->hello}}};
  TimePoint from = pod->decided;
  for (const auto& [name, until] : steps) {
    const TimePoint step_begin = std::clamp(from, begin, end);
    const TimePoint step_end = std::clamp(until, step_begin, end);
    if (step_end > step_begin) sink_(span(record, name, id, step_begin, step_end));
    from = until;
  }
}

void Tracer::end(const InvocationRecord& record, const Pod* pod, int status, const Timing& timing,
                 TimePoint now) {
  const InvocationTrace& trace = *record.trace;
  if (trace.answered != TimePoint()) now = trace.answered;
  const bool reached_a_pod = !timing.start_kind.empty();
  const TimePoint dispatched = std::min(record.arrived + timing.queue, now);
  const TimePoint begun = std::min(dispatched + timing.start, now);
  sink_(span(record, "queue", trace.server, record.arrived, reached_a_pod ? dispatched : now));
  if (record.cold) start_spans(record, pod, dispatched, begun);
  // Calls that a pod made before it died name the handler's span, though no other pod got so far.
  const bool was_lost = trace.lost != TimePoint();
  if (reached_a_pod || was_lost) {
    Span handler = span(record, "handler", trace.server,
                        reached_a_pod ? begun : std::min(trace.lost, now), now);
    handler.id = trace.handler;
    if (pod != nullptr) handler.attributes.emplace_back("faas.instance", pod->name);
    if (trace.spans_dropped > 0) {
      handler.attributes.emplace_back("subito.spans_dropped",
                                      static_cast<std::int64_t>(trace.spans_dropped));
    }
    sink_(std::move(handler));
  }
  Span server = span(record, record.request.method + " " + record.revision->name, trace.from.span,
                     record.arrived, now);
  server.id = trace.server;
  // One that the gateway made names no span that anybody has sent.
  if (record.request.trace_is_new) server.parent = 0;
  server.kind = kind_of(record.request.origin);
  server.attributes.emplace_back("http.request.method", record.request.method);
  server.attributes.emplace_back("url.path", record.request.path.substr(0, kShownPathBytesMax));
  server.attributes.emplace_back("faas.version",
                                 static_cast<std::int64_t>(record.revision->number));
  server.attributes.emplace_back("faas.coldstart", record.cold);
  server.attributes.emplace_back("subito.request_id", record.request.request_id);
  if (record.repeats > 0)
    server.attributes.emplace_back("subito.repeats", std::int64_t{record.repeats});
  set_status(server, status, status == 0 ? "client-left" : trace.failure, 500);
  sink_(std::move(server));
}

void Tracer::pod_spans(const InvocationRecord& record, const protocol::Result& result,
                       const Timing& timing, TimePoint now) {
  const TimePoint begun = std::min(record.arrived + timing.queue + timing.start, now);
  const int count = std::min(result.spans_size(), kPodSpansMax);
  record.trace->spans_dropped +=
      static_cast<std::uint64_t>(result.spans_size() - count) + result.spans_dropped();
  for (int i = 0; i < count; ++i) {
    const protocol::PodSpan& told = result.spans(i);
    // A pod may say anything: what it did it did while it had the invocation.
    const auto at = [&](std::uint64_t ns) {
      constexpr auto kMax = static_cast<std::uint64_t>(Duration::max().count());
      const TimePoint time(Duration(static_cast<Duration::rep>(std::min(ns, kMax))));
      return std::clamp(time, begun, now);
    };
    Span out = span(record, told.name().substr(0, kNameBytesMax), record.trace->handler,
                    at(told.begin_ns()), at(told.end_ns()));
    out.kind = SpanKind::kClient;
    out.attributes.emplace_back("db.system.name", std::string("redis"));
    out.attributes.emplace_back("subito.binding", told.binding().substr(0, kNameBytesMax));
    if (told.commands() > 1) {
      out.attributes.emplace_back("db.operation.batch.size",
                                  static_cast<std::int64_t>(told.commands()));
    }
    out.failed = told.failed();
    sink_(std::move(out));
  }
}

std::unique_ptr<CallTrace> Tracer::begin_call(const InvocationRecord& caller,
                                              const std::string& called, Invocation& invocation,
                                              TimePoint now) {
  auto call = std::make_unique<CallTrace>();
  call->from = {caller.trace->from.trace, caller.trace->handler, true};
  call->id = new_id();
  call->begun = now;
  call->caller = caller.revision->name;
  call->called = called;
  call->method = invocation.method;
  call->tracestate = invocation.tracestate;
  invocation.traceparent = traces::to_traceparent({call->from.trace, call->id, true});
  return call;
}

void Tracer::end_call(const CallTrace& call, int status, const std::string& failure,
                      TimePoint now) {
  Span span;
  span.trace = call.from.trace;
  span.id = call.id;
  span.parent = call.from.span;
  span.tracestate = call.tracestate;
  span.name = "call " + call.called;
  span.kind = SpanKind::kClient;
  span.start_unix_ns = unix_ns(call.begun);
  span.end_unix_ns = unix_ns(now);
  span.service = call.caller;
  span.attributes.emplace_back("http.request.method", call.method);
  span.attributes.emplace_back("peer.service", call.called);
  set_status(span, status, failure, 400);
  sink_(std::move(span));
}

}  // namespace subito::node
