// Turns what a handler logs into one record. The record goes to the node (pod) or to standard error
// as a JSON line (--listen). Lives with its Context, on the handler's thread.
#pragma once

#include <string>
#include <string_view>

#include "runtime/sdk/include/subito/function.h"

namespace subito::sdk {

// A record is cut to this: what a frame's head holds, less room for the rest.
constexpr std::size_t kLogMessageBytesMax = 32 << 10;
constexpr std::size_t kLogFieldsBytesMax = 24 << 10;

// The fields as one JSON object, "" if there are none. Fields that do not fit are left out.
std::string fields_as_json(Logger::Fields fields);

// "debug", "info", "warning", "error"
std::string_view level_name(int level);

// One line: {"time":"…","level":"info","message":"…","order":"7"} and a line break.
std::string as_json_line(int level, std::string_view message, std::string_view fields_json,
                         std::string_view request_id);

}  // namespace subito::sdk
