// Span: one piece of the work on a request, as OpenTelemetry has it. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/traces/trace_context.h"

namespace subito::traces {

// By their numbers in the OpenTelemetry protocol.
enum class SpanKind : std::uint8_t {
  kInternal = 1,
  kServer = 2,
  kClient = 3,
  kProducer = 4,
  kConsumer = 5,
};

using AttributeValue = std::variant<std::string, std::int64_t, bool>;

struct Span {
  TraceId trace;
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  // 0: it is the root
  std::string tracestate = {};
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::int64_t start_unix_ns = 0;
  std::int64_t end_unix_ns = 0;
  std::vector<std::pair<const char*, AttributeValue>> attributes = {};
  bool failed = false;
  std::string failure = {};  // in a word: "deadline-exceeded"
  std::string service;       // the function it belongs to
};

}  // namespace subito::traces
