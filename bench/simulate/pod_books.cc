#include "bench/simulate/pod_books.h"

#include <algorithm>

namespace subito::simulate {
namespace {

constexpr std::size_t kBuckets = 240;

double in_seconds(Duration duration) {
  return static_cast<double>(duration.count()) * 1e-9;
}

}  // namespace

Series::Series(Duration end, std::size_t buckets)
    : bucket_(std::max(end / static_cast<Duration::rep>(buckets), Duration(1))),
      areas_(buckets, 0),
      ends_(bucket_) {}

void Series::change(TimePoint now, std::int64_t by) {
  advance(now);
  level_ += by;
}

std::vector<double> Series::means(TimePoint now) {
  advance(now);
  const auto begun =
      static_cast<std::size_t>((now.time_since_epoch() + bucket_ - Duration(1)) / bucket_);
  std::vector<double> out(
      areas_.begin(), areas_.begin() + static_cast<std::ptrdiff_t>(std::min(begun, areas_.size())));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const TimePoint from(bucket_ * static_cast<Duration::rep>(i));
    const Duration covered = std::min(bucket_, now - from);
    out[i] /= in_seconds(covered);
  }
  return out;
}

// Spreads the level since the last change over the buckets it lies in.
void Series::advance(TimePoint now) {
  while (latest_ < now && at_ < areas_.size()) {
    const TimePoint until = std::min(now, ends_);
    areas_[at_] += static_cast<double>(level_) * in_seconds(until - latest_);
    latest_ = until;
    if (latest_ < ends_) break;
    ++at_;
    ends_ += bucket_;
  }
  latest_ = std::max(latest_, now);
}

PodBooks::PodBooks(Duration end) : end_(end), pods_(end, kBuckets) {}

void PodBooks::started(TimePoint now) {
  if (now >= end_) return;
  ++starts_;
  pods_.change(now, 1);
  peak_ = std::max(peak_, pods_.level());
}

void PodBooks::gone(TimePoint now, TimePoint started, std::uint64_t memory_bytes) {
  if (started >= end_) return;
  pods_.change(std::min(now, end_), -1);
  const double lived = seconds(started, now);
  pod_seconds_ += lived;
  gb_seconds_ += lived * static_cast<double>(memory_bytes) * 1e-9;
}

void PodBooks::was_busy(TimePoint from, TimePoint to, std::uint64_t memory_bytes) {
  gb_seconds_busy_ += seconds(from, to) * static_cast<double>(memory_bytes) * 1e-9;
}

double PodBooks::seconds(TimePoint from, TimePoint to) const {
  return in_seconds(std::min(to, end_) - std::min(from, end_));
}

void PodBooks::fill(TimePoint now, Outcome& outcome) {
  outcome.starts = starts_;
  outcome.pods_peak = peak_;
  outcome.pod_seconds = pod_seconds_;
  outcome.gb_seconds_used = gb_seconds_busy_;
  outcome.gb_seconds_idle = gb_seconds_ - gb_seconds_busy_;
  outcome.pods_over_time = pods_.means(std::min(now, end_));
  outcome.bucket = pods_.bucket();
}

}  // namespace subito::simulate
