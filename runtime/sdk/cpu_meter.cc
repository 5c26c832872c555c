#include "runtime/sdk/cpu_meter.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <string_view>

namespace subito::sdk {

CpuMeter& CpuMeter::of_this_thread() {
  thread_local CpuMeter meter;
  return meter;
}

void CpuMeter::begin() {
  at_begin_ = measures_ ? read() : std::nullopt;
  begun_ = std::chrono::steady_clock::now();
}

std::optional<CpuUse> CpuMeter::end() {
  took_ = std::chrono::steady_clock::now() - begun_;
  measures_ = took_ >= kWorthMeasuring;
  if (!at_begin_ || !measures_) return std::nullopt;
  const std::optional<CpuUse> now = read();
  if (!now) return std::nullopt;
  return CpuUse{now->cpu - at_begin_->cpu, now->waited - at_begin_->waited};
}

// "CPU WAITED SLICES", in nanoseconds. The first is as old as the last tick, hence the clock.
std::optional<CpuUse> CpuMeter::read() {
  if (!tells_) return std::nullopt;
  if (schedstat_.get() < 0) {
    schedstat_ = UniqueFd(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
  }
  char text[64];
  const ssize_t size = ::pread(schedstat_.get(), text, sizeof text, 0);
  const std::string_view line(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t blank = line.find(' ');
  std::int64_t waited = 0;
  ::timespec cpu{};
  tells_ = blank != line.npos &&
           std::from_chars(&line[blank] + 1, line.data() + line.size(), waited).ec == std::errc() &&
           ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0;
  if (!tells_) return std::nullopt;
  return CpuUse{std::chrono::seconds(cpu.tv_sec) + std::chrono::nanoseconds(cpu.tv_nsec),
                std::chrono::nanoseconds(waited)};
}

}  // namespace subito::sdk
