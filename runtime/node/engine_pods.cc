// Engine: what pods say, and their end.
#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/engine.h"
#include "runtime/node/heads.h"
#include "runtime/node/traces/tracer.h"

namespace subito::node {
namespace {

using protocol::FrameType;

// How often an idempotent invocation is given to another pod after one died with it: once may be
// the pod's fault, twice is the request's.
constexpr int kRepeatsMax = 1;

scheduler::ExitKind exit_kind(const Pod& pod, const PodGone& gone) {
  using enum scheduler::ExitKind;
  if (gone.breach) return kCrashed;
  switch (gone.exit.cause) {
    case pods::PodExit::Cause::kStartFailed:
      return kStartFailed;
    case pods::PodExit::Cause::kOutOfMemory:
      return kOutOfMemory;
    case pods::PodExit::Cause::kSignalled:
      return pod.kill_reason.empty() ? kCrashed : kKilled;
    case pods::PodExit::Cause::kExited:
      return gone.exit.code == 0 ? kDrained : kCrashed;
  }
  return kCrashed;
}

}  // namespace

void Engine::on_pod_hello(Pod& pod) {
  if (const auto it = probes_.find(pod.id); it != probes_.end()) {
    it->second.deadline->start(pod.revision->scaling.drain_timeout);
    pods_.drain(pod);
    return finish_probe(pod.id, pod.start_time(), pod.mode);
  }
  meters_.of(pod.revision->function)
      .start_duration[static_cast<std::size_t>(pod.mode)]
      .observe(pod.start_time());
  observer_.on_started(pod);
  scheduler_.pod_ready(loop_.now(), pod.id, effects_, pod.ahead);
  decided();
}

void Engine::finish_probe(PodId pod, Result<Duration> result, pods::StartMode mode) {
  const auto it = probes_.find(pod);
  if (it == probes_.end()) return;
  const ProbeCallback callback = std::exchange(it->second.callback, nullptr);
  if (callback) callback(std::move(result), mode);
}

Status Engine::on_pod_frame(Pod& pod, const protocol::Frame& frame) {
  if (frame.header.type == FrameType::kLog) return on_log(pod, frame);
  const std::uint32_t stream = frame.header.stream;
  if (stream % 2 == 0) return requests_->on_request_frame(pod, frame);
  InvocationRecord* record = record_on(pod.id, stream);
  CHECK(record != nullptr);  // the streams of the channel know which are open
  end_if_late(*record);
  switch (frame.header.type) {
    case FrameType::kResult:
    case FrameType::kBody:
      if (record->caller != nullptr) break;
      on_unwanted(*record, frame);
      return ok();
    case FrameType::kCancel:
      on_cancelled_by_pod(pod, *record);
      return ok();
    default:
      CHECK(false);
  }
  if (frame.header.type == FrameType::kResult) return on_result(pod, *record, frame);
  return on_body(*record, frame);
}

// An answer that begins when its time is over is none, however short before the timer that says so:
// that one counts whole milliseconds, and a pod gives up at the deadline by its own clock.
void Engine::end_if_late(InvocationRecord& record) {
  const bool waits = record.state == InvocationState::kRunning && record.caller != nullptr;
  if (!waits || loop_.now() < record.deadline) return;
  scheduler_.expire(loop_.now(), effects_);
  fail_at_deadline(record);
  give_up(record, protocol::Cancel::DEADLINE);
  decided();
}

// The caller left in this very turn; the CANCEL that tells the pod leaves at its end.
void Engine::on_unwanted(InvocationRecord& record, const protocol::Frame& frame) {
  pods_.channels().consumed(record.pod, record.stream, frame.body.size());
  if (frame.end()) on_answer_end(record);
}

Status Engine::on_result(Pod& pod, InvocationRecord& record, const protocol::Frame& frame) {
  protocol::Result head;
  RETURN_IF_ERROR(protocol::parse_head(frame, head));
  ASSIGN_OR_RETURN(Answer answer, parse_answer(head));
  if (head.has_failure()) {
    AtWork work = asked_by(record.request);
    work.words = shown(record.request);
    observer_.on_exception(pod, head.failure(), work);
  }
  start_watch_.on_settled(pod.id);
  answer.timing = timing(record, pod);
  if (record.trace) {
    record.trace->failure = head.failure().type().substr(0, kTraceFailureBytesMax);
    tracer_->pod_spans(record, head, answer.timing, loop_.now());
    if (frame.end()) record.trace->answered = loop_.now();
  }
  answer.rate_fields = std::move(record.rate_fields);
  record.status = answer.head.status;
  record.waited = answer.timing.queue;
  record.cpu_use = cpu_use_of(head);
  count_failed(record, record.status);
  transition(record, InvocationState::kAnswering);
  record.sent.clear();
  record.repeatable = false;
  record.caller_blocked =
      !record.caller->on_answer(record.token, std::move(answer), frame.body, frame.end());
  pods_.channels().consumed(pod.id, record.stream, frame.body.size());
  if (frame.end()) on_answer_end(record);
  return ok();
}

Status Engine::on_body(InvocationRecord& record, const protocol::Frame& frame) {
  if (record.trace && frame.end()) record.trace->answered = loop_.now();
  record.unconsumed += frame.body.size();
  if (!record.caller->on_answer_body(record.token, frame.body, frame.end())) {
    record.caller_blocked = true;
  }
  if (frame.end()) {
    on_answer_end(record);
  } else if (!record.caller_blocked) {
    pods_.channels().consumed(record.pod, record.stream, std::exchange(record.unconsumed, 0));
  }
  return ok();
}

void Engine::on_answer_end(InvocationRecord& record) {
  if (record.caller != nullptr) tell_ended(record, record.status);
  // The answer is complete before the request was: nobody wants the rest of it.
  const protocol::Streams* streams = pods_.channels().streams(record.pod);
  if (streams != nullptr && streams->is_ours_open(record.stream)) {
    pods_.channels().send_cancel(record.pod, record.stream, protocol::Cancel::UNSPECIFIED);
  }
  release(record);
}

void Engine::on_cancelled_by_pod(const Pod& pod, InvocationRecord& record) {
  const std::uint32_t stream = record.stream;
  if (record.caller != nullptr && has_not_begun(pod, stream) && take_back(record, true)) {
    // The handler before it waits, nobody knows for how long: another pod may have it.
    pods_.channels().send_cancel(pod.id, stream, protocol::Cancel::UNSPECIFIED);
    running_[pod.id].erase(stream);  // not the last one there
    scheduler_.given_back(loop_.now(), record.id, effects_);
    return decided();
  }
  if (record.state != InvocationState::kAbandoned) {
    Failure failure;
    failure.status = 500;
    failure.type = "cancelled-by-function";
    failure.detail = "the function gave the request up without an answer";
    fail_caller(record, std::move(failure));
  }
  pods_.channels().send_cancel(record.pod, record.stream, protocol::Cancel::UNSPECIFIED);
  release(record);
}

void Engine::on_pod_late_end(Pod& pod, std::uint32_t stream) {
  if (stream % 2 == 0) return;  // the rest of a call's body, after the answer
  if (auto* record = record_on(pod.id, stream)) release(*record);
}

void Engine::on_pod_window(Pod& pod, std::uint32_t stream) {
  if (stream % 2 == 0) return requests_->on_request_window(pod, stream);
  auto* record = record_on(pod.id, stream);
  if (record != nullptr && record->state != InvocationState::kAbandoned) send_body(*record);
}

// With concurrency 1 what a pod prints is printed for the one it works on, given up or not. Before
// its hello it works on none; with others ahead nobody knows which of them it is at by now.
void Engine::on_pod_output(Pod& pod, std::string_view line, bool current) {
  const auto running = running_.find(pod.id);
  const bool known = current && pod.hello && pod.revision->scaling.concurrency == 1 &&
                     running != running_.end() && running->second.size() == 1;
  if (!known) return observer_.on_output(pod, line, {});
  const InvocationRecord* record = find(running->second.begin()->second);
  observer_.on_output(pod, line, record == nullptr ? AtWork() : asked_by(record->request));
}

Status Engine::on_log(Pod& pod, const protocol::Frame& frame) {
  protocol::Log log;
  RETURN_IF_ERROR(protocol::parse_head(frame, log));
  const InvocationRecord* record = record_on(pod.id, log.invocation());
  AtWork work;
  if (record != nullptr) work = asked_by(record->request);
  if (record != nullptr && log.signal() != 0) work.words = shown(record->request);
  observer_.on_log(pod, log, work);
  return ok();
}

Timing Engine::timing(const InvocationRecord& record, const Pod& pod) const {
  Timing timing;
  const TimePoint now = loop_.now();
  timing.queue = record.queued;
  timing.start_kind = record.cold ? pods::to_string(pod.mode) : "warm";
  // To launch a pod takes time of this loop, and the pod may run before it is over.
  const TimePoint dispatched = record.arrived + record.queued;
  TimePoint begun = dispatched;
  if (record.cold) begun = pod.hello ? std::max(begun, *pod.hello) : now;
  timing.start = begun - dispatched;
  if (pod.ahead > 0 && pod.last_end > begun) {  // it was ahead until then
    timing.queue += pod.last_end - begun;
    begun = pod.last_end;
  }
  timing.handler = now - begun;
  return timing;
}

// Of one that its function did not answer.
Timing Engine::timing_so_far(const InvocationRecord& record) {
  if (record.state == InvocationState::kWaiting) {
    Timing timing;
    timing.queue = loop_.now() - record.arrived;
    return timing;
  }
  const Pod* pod = pods_.find(record.pod);
  return pod == nullptr ? record.timing_at_pod_end : timing(record, *pod);
}

// With concurrency 1 a pod begins in order, each only once it has written the closing frame of the
// one before: while an older one is open, this one has not begun.
bool Engine::has_not_begun(const Pod& pod, std::uint32_t stream) const {
  const auto running = running_.find(pod.id);
  return pod.ahead > 0 && running != running_.end() &&
         std::any_of(running->second.begin(), running->second.end(),
                     [stream](const auto& other) { return other.first < stream; });
}

// Makes the record ready for another pod, if that is safe.
bool Engine::take_back(InvocationRecord& record, bool untaken) {
  if (record.state != InvocationState::kRunning || !record.repeatable) return false;
  if (!untaken) {
    if (!is_idempotent(record.request) || record.repeats == kRepeatsMax) return false;
    ++record.repeats;
    ++meters_.of(record.request.function).repeats;
    if (record.trace) record.trace->lost = loop_.now();
  }
  transition(record, InvocationState::kWaiting);
  record.pod = PodId();
  record.stream = 0;
  return true;
}

void Engine::on_pod_gone(Pod& pod, const PodGone& gone) {
  pod_gone(pod, gone);
  if (pod_gone_) pod_gone_(pod.revision->name);
}

void Engine::pod_gone(Pod& pod, const PodGone& gone) {
  requests_->on_requester_gone(pod.id);
  if (is_probe(pod.id)) {
    finish_probe(pod.id, Error{ErrorCode::kFailedPrecondition, gone.words, 0}, pod.mode);
    probes_.erase(pod.id);
    observer_.on_probe_gone(pod);
    return decided();
  }
  const AtWork work = at_work(pod.id);
  std::vector<InvocationId> again = take_unsent(pod.id);
  for (const auto& [stream, id] : running_[pod.id]) {
    InvocationRecord* record = find(id);
    if (record == nullptr) continue;
    record->pod_end = gone.words;
    record->timing_at_pod_end = timing(*record, pod);
    const bool untaken =
        !pod.hello || std::count(gone.untaken.begin(), gone.untaken.end(), stream) > 0;
    if (record->caller == nullptr) {  // nobody waits for it, and its pod has let go
      records_.erase(id);
    } else if (take_back(*record, untaken || has_not_begun(pod, stream))) {
      again.push_back(id);
    }
  }
  running_.erase(pod.id);
  start_watch_.on_settled(pod.id);
  share_cpu(cpu_shares_.remove(pod.id, loop_.now()));
  if (placement_ != nullptr) placement_->remove(pod.id);
  const auto lane = lanes_.find(pod.revision->lane);
  if (!pod.draining && lane != lanes_.end() && lane->second->id == pod.revision->id) {
    const bool started = exit_kind(pod, gone) != scheduler::ExitKind::kStartFailed;
    last_ends_[lane->first] = started ? gone.words : kDidNotStart;
  }
  const auto view = scheduler_.pod(pod.id);
  ++meters_.of(pod.revision->function).exits[exit_kind(pod, gone)];
  observer_.on_gone(pod, gone, view ? view->served : 0, work);
  scheduler_.pod_exited(loop_.now(), pod.id, exit_kind(pod, gone), again, effects_);
  decided();
}

void Engine::on_home_lost(const Error& error) {
  if (home_lost_) home_lost_(error);
}

}  // namespace subito::node
