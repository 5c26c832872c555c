// What this thread took of a processor, in seconds: clock_gettime(2). Nothing that is decided
// depends on it.
#pragma once

#include <ctime>

namespace subito::simulate {

inline double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace subito::simulate
