#include "runtime/node/triggers/occurrence.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/gateway/request_id.h"

namespace subito::node {

std::int64_t entry_unix_ms(std::string_view id) {
  constexpr std::int64_t kLatestMs = 9'223'372'036'000;
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), milliseconds);
  if (error == std::errc::result_out_of_range) return kLatestMs;
  return std::clamp<std::int64_t>(milliseconds, 0, kLatestMs);
}

Occurrence occurrence_of_entry(const std::string& key, std::string id,
                               std::vector<std::pair<std::string, std::string>> fields) {
  const std::int64_t unix_ms = entry_unix_ms(id);
  Occurrence out = http::event_of_entry(key, std::move(id), std::move(fields));
  out.unix_ms = unix_ms;
  return out;
}

DeliveryRequest request_of(std::vector<Occurrence> occurrences, const std::string& path,
                           std::uint32_t delivery) {
  DeliveryRequest request;
  Invocation& invocation = request.invocation;
  if (occurrences.size() == 1) {
    invocation.fields = http::fields_of(occurrences.front());
    request.body = std::move(occurrences.front().data);
  } else {
    invocation.fields = {{"content-type", http::kBatchContentType}};
    request.body = http::batch_of(occurrences);
  }
  invocation.method = "POST";
  invocation.path = path;
  invocation.fields.emplace_back(kDeliveryField, std::to_string(delivery));
  invocation.content_length = request.body.size();
  invocation.body_follows = !request.body.empty();
  return request;
}

std::string traceparent_of(const std::vector<Occurrence>& occurrences) {
  if (occurrences.size() != 1) return {};
  for (const auto& [name, value] : occurrences.front().attributes) {
    if (name == "traceparent") return traces::normal_traceparent(std::string(value)).value_or("");
  }
  return {};
}

}  // namespace subito::node
