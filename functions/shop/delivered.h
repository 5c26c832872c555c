// What a trigger delivers of a stream: one event in binary mode, or several as a batch of
// CloudEvents in JSON (docs/triggers.md). Pure.
#pragma once

#include <subito/function.h>

#include <string>
#include <string_view>
#include <vector>

#include "functions/shop/event.h"

namespace shop {

struct Delivered {
  std::string id;  // of the entry, "1764146351000-0"
  Event event;
};

// In the order of the stream. Throws HttpError 400 "bad-event" for what is no delivery.
std::vector<Delivered> delivered_events(const subito::Request& request);

// The answer that takes all in but these, which are delivered again.
subito::Response all_but(const std::vector<std::string>& failed);

}  // namespace shop
