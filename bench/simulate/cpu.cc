#include "bench/simulate/cpu.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace subito::simulate {
namespace {
constexpr std::int64_t kPerNanosecond = 1024;
constexpr auto kWorkMax = Duration(std::int64_t{1} << 47);  // 39 hours: no sum overflows
}  // namespace

void Cpu::begin(TimePoint now, Slot job, Duration work) {
  advance(now);
  if (position_.size() <= job) position_.resize(job + 1, kNoSlot);
  CHECK(position_[job] == kNoSlot);
  const std::int64_t ends = virtual_ + std::min(work, kWorkMax).count() * kPerNanosecond;
  heap_.put(job, Key{ends, ++sequence_}, positions());
}

void Cpu::remove(TimePoint now, Slot job) {
  advance(now);
  if (job < position_.size()) heap_.erase(job, positions());
}

TimePoint Cpu::next() const {
  if (heap_.empty()) return TimePoint::max();
  const std::int64_t left = heap_.top_key().ends - virtual_;
  if (left <= 0) return latest_;
  const std::int64_t work = (left + kPerNanosecond - 1) / kPerNanosecond;
  if (!crowded()) return latest_ + Duration(work);
  // left * jobs / cores / 1024, rounded up.
  const auto jobs = static_cast<std::int64_t>(heap_.size());
  const std::int64_t per_round = static_cast<std::int64_t>(cores_) * kPerNanosecond;
  std::int64_t wait = 0;
  if (__builtin_mul_overflow(left / per_round, jobs, &wait)) return TimePoint::max();
  wait += (left % per_round * jobs + per_round - 1) / per_round;
  return wait >= (TimePoint::max() - latest_).count() ? TimePoint::max() : latest_ + Duration(wait);
}

Slot Cpu::take_ended(TimePoint now) {
  advance(now);
  CHECK(!heap_.empty() && heap_.top_key().ends <= virtual_);
  const Slot job = heap_.top();
  heap_.erase(job, positions());
  return job;
}

void Cpu::advance(TimePoint now) {
  const std::int64_t passed = (now - latest_).count();
  CHECK(passed >= 0);
  latest_ = now;
  if (!crowded()) {
    virtual_ += passed * kPerNanosecond;
    return;
  }
  const auto jobs = static_cast<std::int64_t>(heap_.size());
  const std::int64_t per_round = static_cast<std::int64_t>(cores_) * kPerNanosecond;
  virtual_ += passed / jobs * per_round + passed % jobs * per_round / jobs;
}

}  // namespace subito::simulate
