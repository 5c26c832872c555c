// Engine: the caller's side of invocations.
#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/engine.h"
#include "runtime/node/refusals.h"
#include "runtime/node/traces/tracer.h"

namespace subito::node {

using scheduler::RefuseReason;

namespace {

// A body that is whole and no larger goes in the frame of the INVOKE.
constexpr std::size_t kBodyInInvokeMax = 4 << 10;

bool may_claim_a_delivery(Origin origin) {
  return origin == Origin::kTrigger || origin == Origin::kOperator;
}

// Takes away what only the node may say, and says it.
void keep_to_the_nodes_word(Invocation& invocation) {
  const bool may_claim = may_claim_a_delivery(invocation.origin);
  std::erase_if(invocation.fields, [&](const auto& field) {
    return field.first == kSubjectField || (!may_claim && field.first == kDeliveryField);
  });
  if (!invocation.subject.empty())
    invocation.fields.emplace_back(kSubjectField, invocation.subject);
}

}  // namespace

InvocationId Engine::invoke(Caller& caller, CallerToken token, Invocation&& invocation) {
  CHECK(invocation.guarded_as.empty());
  const InvocationId id = invocation_ids_.next();
  const TimePoint now = loop_.now();
  InvocationRecord& record = records_[id];
  record.id = id;
  record.caller = &caller;
  record.token = token;
  record.request = std::move(invocation);
  keep_to_the_nodes_word(record.request);
  const auto serving = functions_.find(record.request.function);
  if (serving != functions_.end()) record.revision = serving->second.next();
  record.arrived = now;
  record.deadline = TimePoint::max();
  record.body_complete = !record.request.body_follows;
  if (record.revision != nullptr) {
    if (tracer_ != nullptr && traces::is_sampled(record.request.traceparent))
      tracer_->begin(record);
    const Duration limit = record.revision->timeout;
    record.deadline = now + std::min(limit, record.request.timeout.value_or(limit));
    auto failure = fault_of(record);
    if (!failure && serving->second.rate_limited) failure = rate_fault_of(record);
    if (failure) {
      refuse_later(record, *std::move(failure));
      return id;
    }
  }
  const FunctionId lane =
      record.revision != nullptr ? record.revision->lane : record.request.function;
  scheduler_.arrive(now, {id, lane, record.deadline, !record.request.callers.empty()}, effects_);
  record.known_to_scheduler = true;
  decided();
  return id;
}

std::optional<Failure> Engine::rate_fault_of(InvocationRecord& record) {
  const auto& callers = record.request.callers;
  const auto calling = callers.empty() ? functions_.end() : functions_.find(callers.back());
  RateGate::Admission admission =
      rates_.admit(record.request, calling == functions_.end() ? "" : calling->second.current->name,
                   record.arrived);
  record.rate_fields = std::move(admission.fields);
  if (!admission.refused_by) return std::nullopt;
  ++meters_.of(record.request.function).rate_limited[*admission.refused_by];
  return std::move(admission.failure);
}

void Engine::body(InvocationId id, std::string_view bytes, bool end) {
  InvocationRecord* record = find(id);
  if (record == nullptr || record->caller == nullptr || record->refused) return;
  record->body_bytes += bytes.size();
  if (record->revision && record->body_bytes > record->revision->body_bytes_max) {
    return refuse_later(*record, body_too_large(*record->revision));
  }
  // What a repeat sends again, and the caller's window.
  CHECK(record->pending.size() + bytes.size() <= 2 * kBodyWindowBytes);
  record->pending.append(bytes);
  record->body_complete = record->body_complete || end;
  if (record->state != InvocationState::kWaiting) send_body(*record);
}

void Engine::resume(InvocationId id) {
  InvocationRecord* record = find(id);
  if (record == nullptr || !std::exchange(record->caller_blocked, false)) return;
  pods_.channels().consumed(record->pod, record->stream, std::exchange(record->unconsumed, 0));
}

void Engine::abort(InvocationId id) {
  InvocationRecord* record = find(id);
  if (record == nullptr) return;
  if (record->caller != nullptr) tell_ended(*record, 0);
  record->caller = nullptr;
  if (record->state == InvocationState::kAbandoned) return;
  if (record->known_to_scheduler) scheduler_.cancelled(loop_.now(), id, effects_);
  if (record->state == InvocationState::kWaiting) forget(*record);
  decided();
}

InvocationRecord* Engine::find(InvocationId id) {
  const auto it = records_.find(id);
  return it == records_.end() ? nullptr : &it->second;
}

InvocationRecord* Engine::record_on(PodId pod, std::uint32_t stream) {
  const auto streams = running_.find(pod);
  if (streams == running_.end()) return nullptr;
  const auto id = streams->second.find(stream);
  if (id == streams->second.end()) return nullptr;
  return find(id->second);
}

std::vector<const InvocationRecord*> Engine::running_in(PodId pod) const {
  std::vector<const InvocationRecord*> records;
  const auto running = running_.find(pod);
  if (running == running_.end()) return records;
  for (const auto& [stream, id] : running->second) {
    if (const auto record = records_.find(id); record != records_.end()) {
      records.push_back(&record->second);
    }
  }
  std::sort(records.begin(), records.end(), [](const auto* a, const auto* b) {
    return std::pair(a->caller != nullptr, a->stream) < std::pair(b->caller != nullptr, b->stream);
  });
  return records;
}

AtWork Engine::at_work(PodId pod) const {
  const auto records = running_in(pod);
  if (records.empty()) return {};
  AtWork work = asked_by(records.front()->request);
  work.words = shown(records.front()->request);
  if (records.size() > 1) work.words += " and " + std::to_string(records.size() - 1) + " more";
  return work;
}

// Its ids, without words. The trace id is the second part of traceparent (W3C Trace Context, 3.2).
AtWork Engine::asked_by(const Invocation& request) {
  constexpr std::size_t kAt = 3;
  constexpr std::size_t kBytes = 32;
  AtWork work;
  work.request_id = request.request_id;
  if (request.traceparent.size() > kAt + kBytes)
    work.trace_id = request.traceparent.substr(kAt, kBytes);
  return work;
}

Failure Engine::refusal(const InvocationRecord& record, const scheduler::Refuse& refuse) const {
  Failure failure = refusal_of(record, refuse.reason);
  if (refuse.reason == RefuseReason::kPodDied) failure.detail += ": " + record.pod_end;
  if (refuse.reason == RefuseReason::kCrashLoop || refuse.reason == RefuseReason::kStartFailed) {
    const auto end = last_ends_.find(record.revision->lane);
    if (end != last_ends_.end()) failure.detail += ": the last one " + end->second;
    failure.detail += "; see `subito describe`";
  }
  if (refuse.retry_after > Duration::zero()) failure.retry_after = refuse.retry_after;
  return failure;
}

void Engine::count_failed(const InvocationRecord& record, int status) {
  if (status >= 500 && functions_.contains(record.request.function)) {
    ++failed_[record.request.function];
  }
}

void Engine::count_end(const InvocationRecord& record, int status) {
  FunctionMeters& meters = meters_.of(record.request.function);
  const Duration took = loop_.now() - record.arrived;
  ++meters.invocations[record.request.origin];
  meters.count_end(status, took, record.state == InvocationState::kWaiting ? took : record.waited);
  meters.cold += record.cold ? 1 : 0;
  meters.cpu += record.cpu_use.cpu;
}

// Once for each invocation that has a revision: its caller is about to be heard no more.
void Engine::tell_ended(const InvocationRecord& record, int status) {
  if (record.revision == nullptr) return;
  if (counting_) count_end(record, status);
  if (request_watcher_ == nullptr && !record.trace) return;
  const Pod* pod = pods_.find(record.pod);
  if (record.trace) tracer_->end(record, pod, status, timing_so_far(record), loop_.now());
  if (request_watcher_ == nullptr) return;
  request_watcher_->on_request_ended(record, pod, status, timing_so_far(record));
}

// The answer is the node's own; the record stays until the pod, if it has one, has let go.
void Engine::fail_caller(InvocationRecord& record, Failure failure) {
  Caller* caller = std::exchange(record.caller, nullptr);
  if (caller == nullptr) return;
  count_failed(record, failure.status);
  failure.timing = timing_so_far(record);
  if (failure.rate_fields.policy.empty()) failure.rate_fields = std::move(record.rate_fields);
  if (record.trace) record.trace->failure = failure.type;
  tell_ended(record, failure.status);
  if (record.revision) observer_.on_refused(*record.revision, failure, asked_by(record.request));
  if (record.state == InvocationState::kAnswering) {
    caller->on_answer_abort(record.token);
  } else {
    caller->on_failure(record.token, std::move(failure));
  }
}

void Engine::fail_at_deadline(InvocationRecord& record) {
  ++meters_.of(record.request.function).refused[RefuseReason::kDeadline];
  fail_caller(record, deadline_passed(record));
}

// A caller is never called from inside its own call.
void Engine::refuse_later(InvocationRecord& record, Failure failure) {
  record.refused = true;
  loop_.defer([this, id = record.id, failure = std::move(failure)] {
    InvocationRecord* refused = find(id);
    if (refused == nullptr || refused->caller == nullptr) return;
    fail_caller(*refused, failure);
    abort(id);
  });
}

void Engine::send_invoke(InvocationRecord& record, const Pod& pod) {
  pods::Channels& channels = pods_.channels();
  const Invocation& request = record.request;
  protocol::Invoke head;
  head.set_method(request.method);
  head.set_path(request.path);
  head.set_query(request.query);
  for (const auto& [name, value] : request.fields) {
    protocol::Header* header = head.add_headers();
    header->set_name(name);
    header->set_value(value);
  }
  head.set_request_id(request.request_id);
  head.set_traceparent(request.traceparent);
  head.set_tracestate(request.tracestate);
  const TimePoint now = loop_.now();
  const Duration left = std::max(record.deadline - now, Duration::zero());
  head.set_deadline_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(left).count()));
  if (request.content_length) head.set_content_length(*request.content_length);
  head.set_trace(record.trace != nullptr);
  head.set_depth(static_cast<std::uint32_t>(request.callers.size()));

  transition(record, InvocationState::kRunning);
  record.pod = pod.id;
  record.stream = channels.streams(pod.id)->next_stream();
  Running& running = running_[pod.id];
  running[record.stream] = record.id;
  if (running.size() == 1) pod_is_busy(pod.id, record.queued);
  // Another revision than the one that was asked may know the path as a trigger's.
  if (pod.revision != record.revision) {
    if (auto fault = trigger_fault_of(request, *pod.revision)) {
      fail_caller(record, std::move(*fault));
      return release(record);
    }
  }
  // A repeated invocation starts over: what an earlier pod was sent goes to this one.
  record.told_again += record.sent.size();
  record.pending.insert(0, std::exchange(record.sent, {}));
  const bool whole = record.body_complete && record.pending.size() <= kBodyInInvokeMax;
  const std::string_view body = whole ? record.pending : std::string_view();
  if (auto sent =
          channels.send(pod.id, protocol::FrameType::kInvoke, record.stream, head, body, whole);
      !sent) {
    // The gateway's limit on heads keeps within a frame's; what is left is a call with a huge head.
    Failure failure;
    failure.status = 431;
    failure.type = "head-too-large";
    failure.detail = sent.error().message;
    fail_caller(record, std::move(failure));
    return release(record);
  }
  if (whole) {
    body_sent(record, record.pending.size());
  } else {
    send_body(record);
  }
}

void Engine::send_body(InvocationRecord& record) {
  pods::Channels& channels = pods_.channels();
  const protocol::Streams* streams = channels.streams(record.pod);
  if (streams == nullptr || !streams->is_ours_open(record.stream)) {
    // The pod is gone or has answered already: nobody wants the rest.
    consumed(record, std::exchange(record.pending, {}).size());
    return;
  }
  const std::size_t size = channels.body_room(record.pod, record.stream, record.pending.size());
  const bool end = record.body_complete && size == record.pending.size();
  if (size == 0 && !end) return;
  channels.send_body(record.pod, record.stream, std::string_view(record.pending).substr(0, size),
                     end);
  body_sent(record, size);
}

// So much of what is pending is on its way to the pod.
void Engine::body_sent(InvocationRecord& record, std::size_t size) {
  if (size == 0) return;
  record.repeatable = record.repeatable && record.sent.size() + size <= kBodyWindowBytes;
  if (record.repeatable) {
    record.sent.append(record.pending, 0, size);
  } else {
    record.sent.clear();
  }
  record.pending.erase(0, size);
  consumed(record, size);
}

// A repeated body is sent again, but the caller is told only once.
void Engine::consumed(InvocationRecord& record, std::size_t bytes) {
  const std::size_t again = std::min<std::size_t>(bytes, record.told_again);
  record.told_again -= again;
  if (record.caller != nullptr && bytes > again) {
    record.caller->on_consumed(record.token, bytes - again);
  }
}

void Engine::give_up(InvocationRecord& record, protocol::Cancel::Reason reason) {
  transition(record, InvocationState::kAbandoned);
  record.caller = nullptr;
  record.pending.clear();
  record.sent.clear();
  pods_.channels().send_cancel(record.pod, record.stream, reason);
}

void Engine::forget(InvocationRecord& record) {
  if (record.stream != 0) {
    if (const auto it = running_.find(record.pod); it != running_.end()) {
      const bool was_its = it->second.erase(record.stream) > 0;
      if (was_its && placement_ != nullptr) placement_->on_end(it->first, loop_.now());
      if (was_its && it->second.empty()) pod_is_idle(it->first);
    }
  }
  records_.erase(record.id);
}

// The pod is done with it, whatever came of it: its slot is free.
void Engine::release(InvocationRecord& record) {
  Pod* pod = pods_.find(record.pod);
  // What it printed until now is not taken for that of the one left, or of the next one. While
  // several are left nobody's lines are told apart: nothing is read.
  const auto running = running_.find(record.pod);
  const bool read = running != running_.end() && running->second.size() <= 2;
  if (pod != nullptr && read && pod->revision->scaling.concurrency == 1) pods_.read_output(*pod);
  if (pod != nullptr && !has_not_begun(*pod, record.stream)) pod->last_end = loop_.now();
  scheduler_.completed(loop_.now(), record.id, effects_, record.cpu_use);
  forget(record);
  decided();
  // Behind the answer, which leaves at the end of this turn as well.
  if (placement_ == nullptr) return;
  loop_.defer([this] { placement_->look(loop_.now(), !records_.empty()); });
}

}  // namespace subito::node
