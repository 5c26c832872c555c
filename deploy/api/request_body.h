// What operations read of a request: its JSON body, its query, and the names in its path. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deploy/api/routes.h"
#include "runtime/base/result.h"

namespace subito::api {

inline constexpr int kJsonDepthMax = 40;  // 400 beyond; a manifest needs 6

// A JSON object of bounded depth with no other keys than these.
Result<nlohmann::ordered_json> parse_object(const std::string& text,
                                            const std::vector<std::string>& keys);

// A parameter that is true or false; absent: false.
Result<bool> flag_in(const Parameters& query, const char* name);

// How many of the last, at most `most`, and from when on, in Unix nanoseconds; absent: `otherwise`.
Result<std::size_t> tail_in(const Parameters& query, std::size_t most, std::size_t otherwise);
Result<std::int64_t> since_in(const Parameters& query, std::int64_t otherwise);

// The function that the path names.
const std::string& name_of(const Parameters& path);

}  // namespace subito::api
