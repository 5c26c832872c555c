// Occurrence: what a trigger delivers, as its source knows it, and the request that it becomes: a
// CloudEvent in binary mode (https://github.com/cloudevents/spec, HTTP protocol binding). Plain
// values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/gateway/invoker.h"

namespace subito::node {

struct Occurrence {
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

// Of an entry's fields: type, data, content-type, subject; what else can be an attribute is one.
Occurrence occurrence_of_entry(std::string key, std::string id,
                               std::vector<std::pair<std::string, std::string>> fields);

// Without its function, request id and trace.
Invocation invocation_of(const Occurrence& occurrence, const std::string& path,
                         std::uint32_t delivery);

// As header values must be: space, '"', '%' and what is not printable ASCII become %XX.
std::string encoded_attribute(std::string_view value);

// The milliseconds of a stream's entry id, "1764146353000-0"; 0: it is none.
std::int64_t entry_unix_ms(std::string_view id);

}  // namespace subito::node
