// Events: what a function says happened, in its stream "<function>:events". An entry has the fields
// `type`, the message's full name, and `data`, the message; its id is when, by the clock of Redis.
// It is added by the script that makes the change, so that one is there if and only if the other
// is. The messages are in events.proto of each function.
#pragma once

#include <subito/function.h>

#include <string>

namespace shop {

// The stream keeps about this many; whoever is behind by more has lost some. In Lua:
// redis.call('XADD', KEYS[n], 'MAXLEN', '~', 1000000, '*', 'type', ARGV[..], 'data', ARGV[..]).
struct Event {
  std::string type;  // "shop.v1.ReservationMade"
  std::string data;
};

template <typename Message>
Event event_of(const Message& message) {
  return {message.GetTypeName(), message.SerializeAsString()};
}

inline std::string events_key(subito::Redis& redis) {
  return redis.key("events");
}

// The message that was delivered. Throws HttpError 400 "bad-event" for what is none.
template <typename Message>
Message read_event(const subito::Request& request) {
  Message message;
  if (message.ParseFromString(request.body())) return message;
  throw subito::HttpError(400, "bad-event", "the body is no " + message.GetTypeName());
}

}  // namespace shop
