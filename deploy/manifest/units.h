// Units as people write them in a manifest: durations, sizes and shares of a CPU, and back. Pure.
//
// Errors are what a person reads behind "field: ": "'30' has no unit, write 30s, 250ms, 5m or 1h".
// What does not fit, or is finer than the unit that is stored, is an error, never rounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::manifest {

// "30s", "250ms", "5m", "1h", "1m30s", "1.5s", "0s". Milliseconds.
Result<std::int64_t> parse_duration_ms(std::string_view text);
// "64Mi", "1.5Gi", "16k", "1048576". Ki Mi Gi Ti are powers of 1024, k M G T of 1000. Bytes.
Result<std::int64_t> parse_size_bytes(std::string_view text);
// "500m", "1", "1.5". Thousandths of a core.
Result<std::int64_t> parse_cpu_millicores(std::string_view text);

// The shortest exact form: 90000 is "90s", 60000 "1m", 250 "250ms", 0 "0s".
std::string format_duration_ms(std::int64_t milliseconds);
// 67108864 is "64Mi"; what no binary unit divides stays a number: "1000".
std::string format_size_bytes(std::int64_t bytes);
// 500 is "500m", 2000 is "2".
std::string format_cpu_millicores(std::int64_t millicores);

}  // namespace subito::manifest
