// Problem documents (RFC 9457): how every error of the runtime's own is told to a client.
//
//   {"type": "urn:subito:problem:queue-full", "title": "Too Many Requests", "status": 429,
//    "detail": "invoke function thumb: 100 requests wait already"}
//
// The type is what programs look at: the name behind the prefix never changes its meaning. The
// title is the status in words, the detail is for people. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace subito::http {

inline constexpr std::string_view kProblemContentType = "application/problem+json";
inline constexpr std::string_view kProblemTypePrefix = "urn:subito:problem:";

// `type`: the name alone ("queue-full"). Empty: "about:blank", for which the status says it all.
std::string problem_json(int status, std::string_view type, std::string_view detail);

// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace subito::http
