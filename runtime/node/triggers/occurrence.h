// Occurrence: what a trigger delivers, a CloudEvent (runtime/http/cloud_event.h), and the request
// that it becomes. Plain values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/gateway/invoker.h"
#include "runtime/http/cloud_event.h"

namespace subito::node {

using Occurrence = http::CloudEvent;

Occurrence occurrence_of_entry(const std::string& key, std::string id,
                               std::vector<std::pair<std::string, std::string>> fields);

// What they are delivered by: one as it is, several as a batch.
struct DeliveryRequest {
  Invocation invocation;  // without its function, request id and trace
  std::string body;
};
DeliveryRequest request_of(std::vector<Occurrence> occurrences, const std::string& path,
                           std::uint32_t delivery);

// The trace that made it, where one event alone is delivered and says so by the attribute
// traceparent (CloudEvents, Distributed Tracing extension); else empty: a batch is a trace of its
// own.
std::string traceparent_of(const std::vector<Occurrence>& occurrences);

// The milliseconds of a stream's entry id, "1764146353000-0"; 0: it is none. Whoever adds an entry
// may give it any id of twice 64 bits: at most those of the year 2262, whose nanoseconds fit 64.
std::int64_t entry_unix_ms(std::string_view id);

}  // namespace subito::node
