// What an answer of a receiver of traces means: taken, worth another try, or lost. Pure functions
// (OTLP specification, "OTLP/HTTP Response" and "OTLP/HTTP Throttling").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/time.h"

namespace subito::node {

struct ExportReply {
  int status = 0;  // 0: there was none
  std::string body;
  std::optional<Duration> retry_after;
  std::string error;  // why there was none
};

inline constexpr std::uint32_t kExportTriesMax = 5;
inline constexpr Duration kExportBackoff = std::chrono::seconds(1);      // doubled at each try
inline constexpr Duration kExportBackoffMax = std::chrono::seconds(30);  // Retry-After too

inline bool is_taken(const ExportReply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

// How long to wait before the next try, after `tries`; nothing: there is none.
inline std::optional<Duration> next_try_after(const ExportReply& reply, std::uint32_t tries) {
  const bool again = reply.status == 0 || reply.status == 429 || reply.status == 502 ||
                     reply.status == 503 || reply.status == 504;
  if (!again || tries >= kExportTriesMax) return std::nullopt;
  const Duration backoff = kExportBackoff * (1U << (tries - 1));
  return std::min(std::max(backoff, reply.retry_after.value_or(Duration::zero())),
                  kExportBackoffMax);
}

}  // namespace subito::node
