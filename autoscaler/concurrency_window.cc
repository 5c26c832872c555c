#include "autoscaler/concurrency_window.h"

#include <algorithm>
#include <utility>

namespace subito::autoscaler {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

void ConcurrencyWindow::observe(TimePoint now, std::uint32_t in_flight, bool live) {
  const bool is_first = live && buckets_.empty();
  if (is_first) buckets_.resize(seconds_);
  advance(now);
  if (live && !live_ && (is_first || current_ - last_live_ >= seconds_)) {
    std::fill(buckets_.begin(), buckets_.end(), 0);  // nothing was measured for a whole window
    first_ = current_;
  }
  if (live_ && !live) last_live_ = current_;
  live_ = live;
  in_flight_ = in_flight;
}

void ConcurrencyWindow::poke(TimePoint now) {
  advance(now);
  if (!buckets_.empty()) bucket(current_) += std::uint64_t{in_flight_} * kSecond;
}

std::uint64_t ConcurrencyWindow::average_millionths(TimePoint now, std::uint32_t seconds) {
  advance(now);
  if (buckets_.empty()) return 0;
  const std::int64_t count = std::min<std::int64_t>(current_ - first_ + 1, seconds);
  std::uint64_t sum = 0;
  for (std::int64_t at = current_ - count + 1; at <= current_; ++at) sum += bucket(at);
  // Invocation nanoseconds over `count` seconds: times 10^6 for millionths, by 10^9 for seconds.
  return sum / (1000 * static_cast<std::uint64_t>(count));
}

void ConcurrencyWindow::advance(TimePoint now) {
  const std::int64_t second = now.time_since_epoch().count() / kSecond;
  if (second - current_ > seconds_) {  // everything kept is older than any window
    std::fill(buckets_.begin(), buckets_.end(), std::uint64_t{in_flight_} * kSecond);
    current_ = second;
    until_ = TimePoint(std::chrono::seconds(second));
    open_ = 0;
  }
  while (current_ < second) {
    const TimePoint end(std::chrono::seconds(current_ + 1));
    open_ += static_cast<std::uint64_t>((end - until_).count()) * in_flight_;
    ++current_;
    if (!buckets_.empty()) bucket(current_) = open_;
    open_ = 0;
    until_ = end;
  }
  open_ += static_cast<std::uint64_t>((now - until_).count()) * in_flight_;
  until_ = now;
}

}  // namespace subito::autoscaler
