#include "runtime/node/triggers/occurrence.h"

#include <charconv>

namespace subito::node {

std::int64_t entry_unix_ms(std::string_view id) {
  std::int64_t milliseconds = 0;
  std::from_chars(id.data(), id.data() + id.size(), milliseconds);
  return milliseconds;
}

Occurrence occurrence_of_entry(const std::string& key, std::string id,
                               std::vector<std::pair<std::string, std::string>> fields) {
  const std::int64_t unix_ms = entry_unix_ms(id);
  Occurrence out = http::event_of_entry(key, std::move(id), std::move(fields));
  out.unix_ms = unix_ms;
  return out;
}

Invocation invocation_of(const Occurrence& occurrence, const std::string& path,
                         std::uint32_t delivery) {
  Invocation invocation;
  invocation.method = "POST";
  invocation.path = path;
  invocation.fields = http::fields_of(occurrence);
  invocation.fields.emplace_back(kDeliveryField, std::to_string(delivery));
  invocation.content_length = occurrence.data.size();
  invocation.body_follows = !occurrence.data.empty();
  return invocation;
}

}  // namespace subito::node
