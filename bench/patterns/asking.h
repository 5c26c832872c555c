// Asking: one request at a time on connections of its own, as from clients that come new. One
// thread.
#pragma once

#include <chrono>
#include <string>

#include "bench/http_client.h"

namespace subito::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

// A product of the catalogue, which reads it from Redis: behind PatternKind::base.
inline constexpr const char* kProductPath = "/products/3";

// GET on a new connection: the body of an answer 200; kUnavailable for any other and for none.
Result<std::string> ask_once(const ServerAddress& server, const std::string& path);

// Again and again until it is answered 200; the time from `begin`. kDeadlineExceeded after
// `patience`, kCancelled after an interrupt.
Result<std::chrono::nanoseconds> until_answered(const ServerAddress& server,
                                                const std::string& path, SteadyTime begin,
                                                std::chrono::seconds patience);

}  // namespace subito::bench
