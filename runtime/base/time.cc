#include "runtime/base/time.h"

#include <cstdio>
#include <ctime>

namespace subito {

TimePoint SystemClock::now() const {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return TimePoint(std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec));
}

long long wall_clock_nanoseconds() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return ts.tv_sec * 1'000'000'000LL + ts.tv_nsec;
}

void format_rfc3339(long long unix_nanoseconds, char (&out)[kRfc3339Size]) {
  const time_t seconds = unix_nanoseconds / 1'000'000'000LL;
  const int millis = static_cast<int>(unix_nanoseconds / 1'000'000LL % 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  char date[20];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(out, sizeof out, "%.19s.%03uZ", date, static_cast<unsigned>(millis) % 1000U);
}

}  // namespace subito
