// CloudEvent: something that happened, and how it stands in a request: binary mode of the HTTP
// protocol binding, several in batched mode (https://github.com/cloudevents/spec). What a node's
// triggers deliver and what functions without a node read themselves is the same by this. Plain
// values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/http/message.h"

namespace subito::http {

struct CloudEvent {
  std::string id;
  std::string source;   // "/streams/checkout:events"
  std::string type;     // "shop.v1.OrderCompleted"
  std::string subject;  // empty: none
  std::int64_t unix_ms = 0;
  std::string content_type;
  std::string data;
  std::vector<std::pair<std::string, std::string>> attributes;  // further ones
};

inline constexpr std::size_t kAttributesMax = 32;             // further ones are left out
inline constexpr std::size_t kAttributeNameBytesMax = 20;     // as the specification advises
inline constexpr std::size_t kAttributeValueBytesMax = 1024;  // longer ones are left out

// Of a stream's entry by its fields: type, data, content-type, subject; what else can be an
// attribute is one. Without a time.
CloudEvent event_of_entry(const std::string& key, std::string id,
                          std::vector<std::pair<std::string, std::string>> fields);
// Of a member of a sorted set that is due. Without a time.
CloudEvent event_of_due(const std::string& key, std::string id, std::string member);

// Its headers. In values space, '"', '%' and what is not printable ASCII become %XX; a time beyond
// what can be told becomes the nearest.
Fields fields_of(const CloudEvent& event);

inline constexpr char kBatchContentType[] = "application/cloudevents-batch+json";
// Several as one body of that type: the JSON batch format. Data are base64.
std::string batch_of(const std::vector<CloudEvent>& events);

}  // namespace subito::http
