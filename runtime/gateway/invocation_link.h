// InvocationLink: what goes between a gateway and an invoker that live on two loops. Its ends are
// RemoteInvoker, beside the gateway, and RemoteCaller, beside the invoker.
//
//   gateway ─▶ RemoteInvoker ═ to_invoker ═▶ RemoteCaller ─▶ invoker
//   gateway ◀─ RemoteInvoker ◀═ to_caller ══ RemoteCaller ◀─ invoker
//
// Both ends keep their invocations in the same places; an id is a place and a number that never
// comes again, so that what is said of one that ended meanwhile is known as such.
//
// Flow control is that of invoker.h: of a request's body by what was consumed; of an answer by
// credit: RemoteCaller says "full" at kBodyWindowBytes that the gateway has not taken.
//
// A mailbox holds kLinkMessagesMax messages. When it is full an invocation is refused, 503
// node-busy; of those that are under way each end keeps what it has to say in their places, pieces
// of a body as one, until there is room: as many bytes as flow control lets out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/gateway/invoker.h"
#include "runtime/loop/mailbox.h"

namespace subito::gateway {

constexpr std::size_t kLinkMessagesMax = 1024;
constexpr unsigned kPlaceBits = 16;

inline std::size_t place_of(InvocationId id) {
  return id.value() & ((1U << kPlaceBits) - 1);
}

struct ToInvoker {
  enum class Kind : std::uint8_t { kInvoke, kBody, kTaken, kAbort } kind = Kind::kInvoke;
  bool end = false;
  InvocationId id;
  std::size_t bytes = 0;  // of the answer's body that were taken
  std::unique_ptr<Invocation> invocation;
  std::string body;
};

struct ToCaller {
  enum class Kind : std::uint8_t {
    kAnswer,
    kBody,
    kAbort,
    kFailure,
    kConsumed
  } kind = Kind::kAnswer;
  bool end = false;
  InvocationId id;
  std::size_t bytes = 0;  // of the request's body that were consumed
  std::unique_ptr<Answer> answer;
  std::unique_ptr<Failure> failure;
  std::string body;
};

template <typename Message>
Message message_of(typename Message::Kind kind, InvocationId id) {
  Message message;
  message.kind = kind;
  message.id = id;
  return message;
}

// Null: it ended, or never was.
template <typename Place>
Place* find_place(std::vector<Place>& places, InvocationId id) {
  const std::size_t at = place_of(id);
  return id && at < places.size() && places[at].id == id ? &places[at] : nullptr;
}

struct InvocationLink {
  using GatewayEnd = LinkEnd<ToInvoker, ToCaller>;
  using InvokerEnd = LinkEnd<ToCaller, ToInvoker>;

  Mailbox<ToInvoker> to_invoker{kLinkMessagesMax};
  Mailbox<ToCaller> to_caller{kLinkMessagesMax};
};

}  // namespace subito::gateway
