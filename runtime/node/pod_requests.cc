#include "runtime/node/pod_requests.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/heads.h"
#include "runtime/node/traces/tracer.h"

namespace subito::node {
namespace {

using protocol::FrameType;

// `now`: when the call came. `invocation` has what the pod chose.
void complete(Invocation& invocation, const protocol::Call& call, const InvocationRecord& parent,
              TimePoint now) {
  invocation.origin = Origin::kFunction;
  invocation.request_id = parent.request.request_id;
  invocation.traceparent = parent.request.traceparent;
  invocation.tracestate = parent.request.tracestate;
  invocation.callers = parent.request.callers;
  invocation.callers.push_back(parent.request.function);
  Duration left = parent.deadline - now;
  constexpr std::uint64_t kLongest = 24ULL * 3600 * 1'000'000;  // keeps the sum within range
  if (call.deadline_us() > 0) {
    left = std::min<Duration>(
        left, std::chrono::microseconds(std::min<std::uint64_t>(call.deadline_us(), kLongest)));
  }
  invocation.timeout = std::max(left, Duration::zero());
}

}  // namespace

PodRequests::PodRequests(Engine& engine, bindings::Dialer& dialer, CallBreakers& breakers,
                         FindFunction find_function)
    : engine_(engine),
      dialer_(dialer),
      breakers_(breakers),
      find_function_(std::move(find_function)) {}

Status PodRequests::on_request_frame(Pod& pod, const protocol::Frame& frame) {
  const std::uint32_t stream = frame.header.stream;
  switch (frame.header.type) {
    case FrameType::kCall:
      return on_call(pod, frame);
    case FrameType::kConnect:
      return on_connect(pod, frame);
    case FrameType::kBody:
      if (Call* call = find(pod.id, stream)) {
        engine_.body(call->invocation, frame.body, frame.end());
      }
      return ok();
    case FrameType::kCancel:
      if (Call* call = find(pod.id, stream)) {
        engine_.abort(call->invocation);
        forget(by_pod_.at(pod.id).by_stream.at(stream));
      }
      cancel_connects({pod.id, stream}, {pod.id, stream});
      engine_.pods().channels().send_cancel(pod.id, stream, protocol::Cancel::UNSPECIFIED);
      return ok();
    default:
      CHECK(false);
  }
}

Status PodRequests::on_call(Pod& pod, const protocol::Frame& frame) {
  const std::uint32_t stream = frame.header.stream;
  protocol::Call head;
  RETURN_IF_ERROR(protocol::parse_head(frame, head));
  ASSIGN_OR_RETURN(Invocation invocation, parse_call(head));
  const InvocationRecord* parent = engine_.running_on(pod.id, head.invocation());
  if (parent == nullptr || parent->caller == nullptr) {
    refuse(pod.id, stream, 499, "cancelled", "the invocation that calls is over");
    return ok();
  }
  if (!pod.revision->calls.contains(head.function())) {
    refuse(pod.id, stream, 403, "forbidden",
           "function " + pod.revision->name + " may not call " + shown_name(head.function()) +
               ": list it under spec.calls");
    return ok();
  }
  const FunctionId function = find_function_(neighbour(*pod.revision, head.function()));
  if (!function) {
    refuse(pod.id, stream, 404, "not-found", "there is no function " + head.function());
    return ok();
  }
  if (const auto fault =
          scheduler::fault_of_chain(parent->request.callers, parent->request.function, function)) {
    refuse_chain(pod, stream, *parent, function, *fault);
    return ok();
  }
  auto ticket = breakers_.begin(pod.revision->name, head.function(), engine_.now());
  if (!ticket) {
    refuse(pod.id, stream, 503, "circuit-open", std::move(ticket).error());
    return ok();
  }
  const CallerToken token = ++last_token_;
  Call& call = calls_[token];
  call.ticket = *ticket;
  call.pod = pod.id;
  call.stream = stream;
  by_pod_[pod.id].by_stream[stream] = token;
  invocation.function = function;
  invocation.body_follows = !frame.end();
  complete(invocation, head, *parent, engine_.now());
  if (parent->trace) {
    call.trace = engine_.tracer()->begin_call(*parent, head.function(), invocation, engine_.now());
  }
  call.invocation = engine_.invoke(*this, token, std::move(invocation));
  if (!frame.body.empty()) engine_.body(call.invocation, frame.body, frame.end());
  return ok();
}

void PodRequests::refuse_chain(const Pod& pod, std::uint32_t stream, const InvocationRecord& parent,
                               FunctionId called, scheduler::ChainFault fault) {
  const bool cycle = fault == scheduler::ChainFault::kCycle;
  refuse(pod.id, stream, 508, cycle ? "call-cycle" : "call-too-deep",
         chain_words(parent, called) +
             (cycle ? " goes round: a function that waits for itself may not be called"
                    : " is deeper than calls may go"));
}

// "a > b > c"
std::string PodRequests::chain_words(const InvocationRecord& parent, FunctionId called) const {
  std::string words;
  const auto add = [&](FunctionId function) {
    const RevisionPtr revision = engine_.revision(function);
    words += (words.empty() ? "" : " > ") + (revision ? revision->name : "a function that is gone");
  };
  for (const FunctionId caller : parent.request.callers) add(caller);
  add(parent.request.function);
  add(called);
  return words;
}

Status PodRequests::on_connect(Pod& pod, const protocol::Frame& frame) {
  const std::uint32_t stream = frame.header.stream;
  protocol::Connect head;
  RETURN_IF_ERROR(protocol::parse_head(frame, head));
  const manifest::Binding* binding = find_binding(*pod.revision, head.binding());
  if (binding == nullptr) {
    answer_connect(
        pod.id, stream,
        Error{ErrorCode::kNotFound,
              "connect " + shown_name(head.binding()) + ": function " + pod.revision->name +
                  " has no binding of that name; list it under spec.bindings in its manifest",
              0});
  } else {
    connect(pod, stream, *binding);
  }
  return ok();
}

void PodRequests::connect(Pod& pod, std::uint32_t stream, const manifest::Binding& binding) {
  const auto answer = [this, id = pod.id, stream](Result<UniqueFd> socket) {
    answer_connect(id, stream, std::move(socket));
  };
  if (binding.has_redis()) {
    if (redis_ == nullptr) {
      return answer(Error{ErrorCode::kFailedPrecondition,
                          "connect " + binding.name() + ": this node runs without Redis", 0});
    }
    connects_[{pod.id, stream}].redis =
        redis_->connect(pod.revision->name, redis_key_prefix(*pod.revision, binding),
                        bindings::kDialTimeout, answer);
    return;
  }
  auto endpoint = bindings::parse_endpoint(binding.tcp().address());
  if (!endpoint) return answer(std::move(endpoint).error());
  connects_[{pod.id, stream}].dial = dialer_.dial(
      {binding.name(), *std::move(endpoint), pod.revision->name}, bindings::kDialTimeout, answer);
}

void PodRequests::cancel_connects(const ConnectKey& first, const ConnectKey& last) {
  const auto begin = connects_.lower_bound(first);
  const auto end = connects_.upper_bound(last);
  for (auto it = begin; it != end; ++it) {
    dialer_.cancel(it->second.dial);
    if (redis_ != nullptr) redis_->cancel(it->second.redis);
  }
  connects_.erase(begin, end);
}

void PodRequests::answer_connect(PodId pod, std::uint32_t stream, Result<UniqueFd> socket) {
  connects_.erase({pod, stream});
  pods::Channels& channels = engine_.pods().channels();
  const protocol::Streams* streams = channels.streams(pod);
  if (streams == nullptr || !streams->is_ours_open(stream)) return;
  const Status sent = socket ? channels.send_connected(pod, stream, *std::move(socket))
                             : Status(std::move(socket).error());
  if (sent) return;
  protocol::Connected head;
  head.set_error(cut_failure_text(sent.error().message));
  CHECK(channels.send(pod, FrameType::kConnected, stream, head, {}, true));
}

void PodRequests::refuse(PodId pod, std::uint32_t stream, int status, const char* type,
                         std::string message) {
  protocol::Result head;
  head.set_status(static_cast<std::uint32_t>(status));
  head.mutable_failure()->set_type(type);
  head.mutable_failure()->set_message(cut_failure_text(std::move(message)));
  pods::Channels& channels = engine_.pods().channels();
  const protocol::Streams* streams = channels.streams(pod);
  if (streams == nullptr || !streams->is_ours_open(stream)) return;
  CHECK(channels.send(pod, FrameType::kResult, stream, head, {}, true));
}

PodRequests::Call* PodRequests::find(PodId pod, std::uint32_t stream) {
  const auto calls = by_pod_.find(pod);
  if (calls == by_pod_.end()) return nullptr;
  const auto token = calls->second.by_stream.find(stream);
  return token == calls->second.by_stream.end() ? nullptr : find(token->second);
}

PodRequests::Call* PodRequests::find(CallerToken token) {
  const auto it = calls_.find(token);
  return it == calls_.end() ? nullptr : &it->second;
}

// All of it has come, whether or not the pod has read it.
void PodRequests::answer_ended(Call& call) {
  breakers_.answered(std::exchange(call.ticket, {}), call.status, engine_.now());
  end_trace(call, call.status, "");
}

void PodRequests::end_trace(Call& call, int status, const std::string& failure) {
  if (!call.trace) return;
  engine_.tracer()->end_call(*std::exchange(call.trace, nullptr), status, failure, engine_.now());
}

void PodRequests::forget(CallerToken token) {
  const auto it = calls_.find(token);
  if (it == calls_.end()) return;
  end_trace(it->second, 0, "cancelled");
  breakers_.given_up(it->second.ticket, engine_.now());
  if (const auto calls = by_pod_.find(it->second.pod); calls != by_pod_.end()) {
    calls->second.pending_bytes -= it->second.pending.size();
    calls->second.by_stream.erase(it->second.stream);
    if (calls->second.by_stream.empty()) by_pod_.erase(calls);
  }
  calls_.erase(it);
}

void PodRequests::on_request_window(Pod& pod, std::uint32_t stream) {
  Call* call = find(pod.id, stream);
  if (call == nullptr || call->pending.empty()) return;
  send_pending(by_pod_.at(pod.id).by_stream.at(stream), *call);
}

void PodRequests::on_requester_gone(PodId pod) {
  cancel_connects({pod, 0}, {pod, UINT32_MAX});
  const auto calls = by_pod_.find(pod);
  if (calls == by_pod_.end()) return;
  const auto streams = std::move(calls->second.by_stream);
  by_pod_.erase(calls);
  for (const auto& [stream, token] : streams) {
    Call& call = calls_.at(token);
    end_trace(call, 0, "cancelled");
    engine_.abort(call.invocation);
    breakers_.given_up(call.ticket, engine_.now());
    calls_.erase(token);
  }
}

void PodRequests::send_pending(CallerToken token, Call& call) {
  pods::Channels& channels = engine_.pods().channels();
  const protocol::Streams* streams = channels.streams(call.pod);
  if (streams == nullptr || !streams->is_ours_open(call.stream)) return;
  const std::size_t size = channels.body_room(call.pod, call.stream, call.pending.size());
  const bool end = call.complete && size == call.pending.size();
  if (size == 0 && !end) return;
  channels.send_body(call.pod, call.stream, std::string_view(call.pending).substr(0, size), end);
  call.pending.erase(0, size);
  by_pod_.at(call.pod).pending_bytes -= size;
  if (end) return forget(token);
  if (call.pending.empty()) engine_.resume(call.invocation);
}

void PodRequests::keep(Call& call, std::string_view bytes) {
  call.pending.append(bytes);
  by_pod_.at(call.pod).pending_bytes += bytes.size();
}

bool PodRequests::has_room(const Call& call) const {
  return by_pod_.at(call.pod).pending_bytes <= kPendingAnswerBytesMax;
}

// Before its RESULT the pod learns the reason; after it CANCEL is all there is.
void PodRequests::give_up(CallerToken token, const Call& call) {
  if (call.answered) {
    engine_.pods().channels().send_cancel(call.pod, call.stream, protocol::Cancel::UNSPECIFIED);
  } else {
    refuse(call.pod, call.stream, 503, "unavailable",
           "too much of what calls were answered waits to be read");
  }
  engine_.abort(call.invocation);
  forget(token);
}

bool PodRequests::on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) {
  Call* call = find(token);
  if (call == nullptr) return true;
  call->status = answer.head.status;
  call->ticket.answer_began = engine_.now();
  if (end) answer_ended(*call);
  protocol::Result head;
  head.set_status(static_cast<std::uint32_t>(answer.head.status));
  for (auto& [name, value] : answer.head.fields) {
    protocol::Header* header = head.add_headers();
    header->set_name(std::move(name));
    header->set_value(std::move(value));
  }
  if (answer.head.content_length) head.set_content_length(*answer.head.content_length);
  pods::Channels& channels = engine_.pods().channels();
  const protocol::Streams* streams = channels.streams(call->pod);
  if (streams == nullptr || !streams->is_ours_open(call->stream)) return true;
  // A first body part is one frame's, well within the window of a new stream; but the channel may
  // be full.
  const bool fits = channels.body_room(call->pod, call->stream, body.size()) == body.size();
  if (!fits) keep(*call, body);
  if (!has_room(*call)) {
    give_up(token, *call);
    return true;
  }
  call->answered = true;
  call->complete = end;
  CHECK(channels.send(call->pod, FrameType::kResult, call->stream, head,
                      fits ? body : std::string_view(), fits && end));
  if (fits && end) forget(token);
  return fits;
}

bool PodRequests::on_answer_body(CallerToken token, std::string_view bytes, bool end) {
  Call* call = find(token);
  if (call == nullptr) return true;
  if (end) answer_ended(*call);
  keep(*call, bytes);
  call->complete = end;
  send_pending(token, *call);
  call = find(token);
  if (call == nullptr) return true;
  if (has_room(*call)) return call->pending.empty();
  give_up(token, *call);
  return true;
}

void PodRequests::on_answer_abort(CallerToken token) {
  if (Call* call = find(token)) {
    engine_.pods().channels().send_cancel(call->pod, call->stream, protocol::Cancel::UNSPECIFIED);
    end_trace(*call, 0, "unavailable");
    breakers_.failed(std::exchange(call->ticket, {}), "unavailable", "its answer broke off",
                     engine_.now());
    forget(token);
  }
}

void PodRequests::on_failure(CallerToken token, Failure&& failure) {
  Call* call = find(token);
  if (call == nullptr) return;
  end_trace(*call, 0, failure.type);
  breakers_.failed(std::exchange(call->ticket, {}), failure.type, failure.detail, engine_.now());
  refuse(call->pod, call->stream, failure.status, failure.type.c_str(), std::move(failure.detail));
  forget(token);
}

void PodRequests::on_consumed(CallerToken token, std::size_t bytes) {
  if (const Call* call = find(token)) {
    engine_.pods().channels().consumed(call->pod, call->stream, bytes);
  }
}

}  // namespace subito::node
