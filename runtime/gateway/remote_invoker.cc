#include "runtime/gateway/remote_invoker.h"

#include <utility>

#include "runtime/base/check.h"

namespace subito::gateway {
namespace {

constexpr Duration kBusyRetryAfter = std::chrono::seconds(1);

}  // namespace

RemoteInvoker::RemoteInvoker(Loop& loop, InvocationLink& link)
    : refusals_(loop, [this] { fail_refused(); }),
      end_(
          loop, link.to_invoker, link.to_caller,
          [this](ToCaller&& message) { receive(std::move(message)); }, [this] { send_waiting(); }) {
}

// As many as the gateway has exchanges, which its server bounds.
RemoteInvoker::Place& RemoteInvoker::free_place() {
  if (free_.empty()) {
    CHECK(places_.size() < 1U << kPlaceBits);
    free_.push_back(places_.size());
    places_.emplace_back();
  }
  const std::size_t at = free_.back();
  free_.pop_back();
  Place& place = places_[at];
  place.id = InvocationId(++last_ << kPlaceBits | at);
  return place;
}

void RemoteInvoker::release(Place& place) {
  free_.push_back(place_of(place.id));
  place = Place();
}

InvocationId RemoteInvoker::invoke(Caller& caller, CallerToken token, Invocation&& invocation) {
  Place& place = free_place();
  place.caller = &caller;
  place.token = token;
  const InvocationId id = place.id;
  if (crowded()) {
    refuse(place);
    return id;
  }
  ToInvoker message = message_of<ToInvoker>(ToInvoker::Kind::kInvoke, id);
  message.invocation = std::make_unique<Invocation>(std::move(invocation));
  if (!end_.send(std::move(message))) refuse(place);
  return id;
}

// A caller is never called from inside its own call.
void RemoteInvoker::refuse(const Place& place) {
  refused_.push_back(place.id);
  refusals_.schedule();
}

void RemoteInvoker::fail_refused() {
  for (const InvocationId id : std::exchange(refused_, {})) {
    Place* place = find(id);
    if (place == nullptr) continue;
    Caller& caller = *place->caller;
    const CallerToken token = place->token;
    release(*place);
    Failure failure;
    failure.status = 503;
    failure.type = "node-busy";
    failure.detail = "the node's loop has " + std::to_string(kLinkMessagesMax) +
                     " messages of this gateway's before it; try again later";
    failure.retry_after = kBusyRetryAfter;
    caller.on_failure(token, std::move(failure));
  }
}

void RemoteInvoker::body(InvocationId id, std::string_view bytes, bool end) {
  Place* place = find(id);
  if (place == nullptr) return;
  if (!place->body_waits) {
    ToInvoker message = message_of<ToInvoker>(ToInvoker::Kind::kBody, id);
    message.body = bytes;
    message.end = end;
    if (end_.send(std::move(message))) return;
  }
  place->body_waits = true;
  place->body_ends = end;
  place->body.append(bytes);
  CHECK(place->body.size() <= kBodyWindowBytes);
  wait(*place);
}

void RemoteInvoker::resume(InvocationId id) {
  Place* place = find(id);
  if (place == nullptr || !std::exchange(place->blocked, false)) return;
  tell_taken(*place);
}

void RemoteInvoker::tell_taken(Place& place) {
  ToInvoker message = message_of<ToInvoker>(ToInvoker::Kind::kTaken, place.id);
  message.bytes = place.taken;
  if (end_.send(std::move(message))) {
    place.taken = 0;
  } else {
    wait(place);
  }
}

void RemoteInvoker::abort(InvocationId id) {
  Place* place = find(id);
  if (place == nullptr) return;
  release(*place);
  if (std::erase(refused_, id) > 0) return;  // nobody else knows it
  if (!end_.send(message_of<ToInvoker>(ToInvoker::Kind::kAbort, id))) aborts_.push_back(id);
}

void RemoteInvoker::wait(Place& place) {
  if (!std::exchange(place.waits, true)) waiting_.push_back(place.id);
}

// False: there is still no room.
bool RemoteInvoker::send_waiting(Place& place) {
  if (place.body_waits) {
    ToInvoker message = message_of<ToInvoker>(ToInvoker::Kind::kBody, place.id);
    message.body = std::move(place.body);
    message.end = place.body_ends;
    if (!end_.send(std::move(message))) {
      place.body = std::move(message.body);
      return false;
    }
    place.body.clear();
    place.body_waits = false;
  }
  place.waits = false;
  if (place.taken == 0 || place.blocked) return true;
  tell_taken(place);  // waits again, at the end, if there is no room
  return true;
}

void RemoteInvoker::send_waiting() {
  if (!crowded()) return;
  std::size_t sent = 0;
  while (sent < aborts_.size() &&
         end_.send(message_of<ToInvoker>(ToInvoker::Kind::kAbort, aborts_[sent])))
    ++sent;
  aborts_.erase(aborts_.begin(), aborts_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (!aborts_.empty()) return;
  std::vector<InvocationId> waiting = std::exchange(waiting_, {});
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    Place* place = find(waiting[i]);
    if (place == nullptr || send_waiting(*place)) continue;
    waiting_.insert(waiting_.end(), waiting.begin() + static_cast<std::ptrdiff_t>(i),
                    waiting.end());
    return;
  }
}

// The caller may have given up inside of its call.
void RemoteInvoker::took(InvocationId id, std::size_t bytes, bool accepted) {
  Place* place = find(id);
  if (place == nullptr) return;
  place->taken += bytes;
  place->blocked = place->blocked || !accepted;
  if (!place->blocked && place->taken >= kTellTakenBytes) tell_taken(*place);
}

void RemoteInvoker::receive(ToCaller&& message) {
  Place* place = find(message.id);
  if (place == nullptr) return;  // its caller gave up meanwhile
  Caller& caller = *place->caller;
  const CallerToken token = place->token;
  const InvocationId id = message.id;
  const bool over = message.end || message.kind == ToCaller::Kind::kAbort ||
                    message.kind == ToCaller::Kind::kFailure;
  if (over) release(*place);
  switch (message.kind) {
    case ToCaller::Kind::kAnswer: {
      const bool accepted =
          caller.on_answer(token, std::move(*message.answer), message.body, message.end);
      if (!over) took(id, message.body.size(), accepted);
      break;
    }
    case ToCaller::Kind::kBody: {
      const bool accepted = caller.on_answer_body(token, message.body, message.end);
      if (!over) took(id, message.body.size(), accepted);
      break;
    }
    case ToCaller::Kind::kAbort:
      caller.on_answer_abort(token);
      break;
    case ToCaller::Kind::kFailure:
      caller.on_failure(token, std::move(*message.failure));
      break;
    case ToCaller::Kind::kConsumed:
      caller.on_consumed(token, message.bytes);
      break;
  }
}

}  // namespace subito::gateway
