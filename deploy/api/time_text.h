// Times as the API writes them: RFC 3339 in UTC with milliseconds, and back. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace subito::api {

// Unix nanoseconds to "2026-11-23T22:04:05.123Z".
std::string time_text(std::int64_t unix_ns);
// The reverse; digits of the second's fraction beyond nine are left out. Nothing for anything else,
// an offset other than Z included.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace subito::api
