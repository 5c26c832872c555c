#include "runtime/gateway/remote_caller.h"

#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/secret_memory.h"

namespace subito::gateway {
RemoteCaller::RemoteCaller(Loop& loop, InvocationLink& link, Invoker& invoker, CallGuard& guard)
    : invoker_(invoker),
      guard_(guard),
      end_(
          loop, link.to_caller, link.to_invoker,
          [this](ToInvoker&& message) { receive(std::move(message)); },
          [this] { send_waiting(); }) {}

void RemoteCaller::receive(ToInvoker&& message) {
  if (message.kind == ToInvoker::Kind::kInvoke)
    return invoke(message.id, std::move(*message.invocation));
  Place* place = find(message.id);
  if (place == nullptr) return;  // it was answered meanwhile
  switch (message.kind) {
    case ToInvoker::Kind::kBody:
      if (place->invoked) invoker_.body(place->invoked, message.body, message.end);
      break;
    case ToInvoker::Kind::kTaken:
      taken(*place, message.bytes);
      break;
    default: {
      const InvocationId invoked = place->invoked;
      *place = Place();
      if (invoked) invoker_.abort(invoked);
      break;
    }
  }
}

// The place is free: the gateway heard of the end of the one before, or said it.
void RemoteCaller::invoke(InvocationId id, Invocation&& invocation) {
  const std::size_t at = place_of(id);
  if (at >= places_.size()) places_.resize(at + 1);
  CHECK(!places_[at].id);
  places_[at].id = id;
  if (!invocation.guarded_as.empty() && !admit(id, invocation)) return;
  const InvocationId invoked = invoker_.invoke(*this, id.value(), std::move(invocation));
  places_[at].invoked = invoked;
}

bool RemoteCaller::admit(InvocationId id, Invocation& invocation) {
  server::Peer peer;
  peer.address = invocation.client_address;
  auto admitted = guard_.admit(invocation.guarded_as, invocation.fields, peer);
  wipe_values(invocation.fields, kTokenField);  // it does not stay in memory
  invocation.guarded_as.clear();
  if (!admitted) {
    CallGuard::Refusal& why = admitted.error();
    Failure failure;
    failure.status = why.status;
    failure.type = std::move(why.type);
    failure.detail = std::move(why.detail);
    failure.fields = std::move(why.fields);
    on_failure(id.value(), std::move(failure));
    return false;
  }
  invocation.subject = *std::move(admitted);
  std::erase_if(invocation.fields, [](const auto& field) { return field.first == kTokenField; });
  return true;
}

void RemoteCaller::taken(Place& place, std::size_t bytes) {
  CHECK(bytes <= place.ahead);
  place.ahead -= bytes;
  if (place.ahead >= kBodyWindowBytes || !std::exchange(place.full, false)) return;
  if (place.invoked) invoker_.resume(place.invoked);
}

void RemoteCaller::tell(Place& place, ToCaller&& message, bool over) {
  if (over) place.invoked = InvocationId();
  if (place.waiting != nullptr || !end_.send(std::move(message))) {
    keep(place, std::move(message));
  } else if (over) {
    place = Place();
  }
}

void RemoteCaller::keep(Place& place, ToCaller&& message) {
  if (place.waiting == nullptr) {
    place.waiting = std::make_unique<Waiting>();
    waiting_.push_back(place.id);
  }
  Waiting& waiting = *place.waiting;
  waiting.consumed += message.bytes;
  waiting.end = waiting.end || message.end;
  waiting.abort = waiting.abort || message.kind == ToCaller::Kind::kAbort;
  if (message.answer != nullptr) waiting.answer = std::move(message.answer);
  if (message.failure != nullptr) waiting.failure = std::move(message.failure);
  waiting.body_waits = waiting.body_waits || message.kind == ToCaller::Kind::kBody;
  waiting.body.append(message.body);
}

// False: there is still no room.
bool RemoteCaller::send_waiting(Place& place) {
  Waiting& waiting = *place.waiting;
  if (waiting.consumed > 0) {
    ToCaller message = message_of<ToCaller>(ToCaller::Kind::kConsumed, place.id);
    message.bytes = waiting.consumed;
    if (!end_.send(std::move(message))) return false;
    waiting.consumed = 0;
  }
  if (waiting.answer != nullptr || waiting.body_waits) {
    ToCaller message = message_of<ToCaller>(
        waiting.answer != nullptr ? ToCaller::Kind::kAnswer : ToCaller::Kind::kBody, place.id);
    message.answer = std::move(waiting.answer);
    message.body = std::move(waiting.body);
    message.end = waiting.end;
    if (!end_.send(std::move(message))) {
      waiting.answer = std::move(message.answer);
      waiting.body = std::move(message.body);
      return false;
    }
    waiting.body_waits = false;
  }
  if (waiting.abort && !end_.send(message_of<ToCaller>(ToCaller::Kind::kAbort, place.id)))
    return false;
  if (waiting.failure != nullptr) {
    ToCaller message = message_of<ToCaller>(ToCaller::Kind::kFailure, place.id);
    message.failure = std::move(waiting.failure);
    if (!end_.send(std::move(message))) {
      waiting.failure = std::move(message.failure);
      return false;
    }
  }
  place.waiting.reset();
  if (!place.invoked) place = Place();
  return true;
}

void RemoteCaller::send_waiting() {
  std::size_t sent = 0;
  for (; sent < waiting_.size(); ++sent) {
    Place* place = find(waiting_[sent]);
    if (place != nullptr && !send_waiting(*place)) break;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
}

bool RemoteCaller::ahead(Place& place, std::size_t bytes) {
  place.ahead += bytes;
  place.full = place.full || place.ahead >= kBodyWindowBytes;
  return !place.full;
}

bool RemoteCaller::on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) {
  Place* place = find(InvocationId(token));
  if (place == nullptr) return true;
  ToCaller message = message_of<ToCaller>(ToCaller::Kind::kAnswer, place->id);
  message.answer = std::make_unique<Answer>(std::move(answer));
  message.body = body;
  message.end = end;
  const bool more = end || ahead(*place, body.size());
  tell(*place, std::move(message), end);
  return more;
}

bool RemoteCaller::on_answer_body(CallerToken token, std::string_view bytes, bool end) {
  Place* place = find(InvocationId(token));
  if (place == nullptr) return true;
  ToCaller message = message_of<ToCaller>(ToCaller::Kind::kBody, place->id);
  message.body = bytes;
  message.end = end;
  const bool more = end || ahead(*place, bytes.size());
  tell(*place, std::move(message), end);
  return more;
}

void RemoteCaller::on_answer_abort(CallerToken token) {
  if (Place* place = find(InvocationId(token)))
    tell(*place, message_of<ToCaller>(ToCaller::Kind::kAbort, place->id), true);
}

void RemoteCaller::on_failure(CallerToken token, Failure&& failure) {
  Place* place = find(InvocationId(token));
  if (place == nullptr) return;
  ToCaller message = message_of<ToCaller>(ToCaller::Kind::kFailure, place->id);
  message.failure = std::make_unique<Failure>(std::move(failure));
  tell(*place, std::move(message), true);
}

void RemoteCaller::on_consumed(CallerToken token, std::size_t bytes) {
  Place* place = find(InvocationId(token));
  if (place == nullptr) return;
  ToCaller message = message_of<ToCaller>(ToCaller::Kind::kConsumed, place->id);
  message.bytes = bytes;
  tell(*place, std::move(message), false);
}

}  // namespace subito::gateway
