// The clock that steps are timed with, in microseconds.
#pragma once

#include <cstdint>
#include <ctime>

namespace subito::sandbox {

inline std::uint64_t monotonic_us() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec) / 1000U;
}

}  // namespace subito::sandbox
