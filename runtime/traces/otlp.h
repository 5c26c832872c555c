// OTLP: spans as the body of a request to a receiver of traces, POST /v1/traces, and the body of
// its answer. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/traces/span.h"

namespace subito::traces {

inline constexpr char kOtlpContentType[] = "application/x-protobuf";

// Whose spans they are beside the function: the node.
struct Sender {
  std::string version;   // of Subito
  std::string instance;  // which node
};

// Spans of one function stand together, as those of one service.
std::string otlp_request(const std::vector<Span>& spans, const Sender& sender);

// What a receiver that answered 200 did not take; 0 too if the answer cannot be read.
std::uint64_t rejected_spans(std::string_view response);

}  // namespace subito::traces
