#include "bench/simulate/cpu.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace subito::simulate {
namespace {

constexpr std::int64_t kPerNanosecond = 1024;
constexpr std::size_t kGoneMin = 64;
constexpr auto kWorkMax = Duration(std::int64_t{1} << 47);  // 39 hours: no sum overflows

// a * b / c, rounded down, or up; the result must fit. Wide only where the product is.
std::int64_t scaled(std::int64_t a, std::int64_t b, std::int64_t c, bool up = false) {
  const std::int64_t more = up ? c - 1 : 0;
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product) && product <= INT64_MAX - more) {
    return (product + more) / c;
  }
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>((static_cast<Wide>(a) * b + more) / c);
}

}  // namespace

void Cpu::begin(TimePoint now, Slot job, Duration work, std::uint32_t share) {
  if (cores_ == 0) {
    latest_ = std::max(latest_, now);
    return own_.begin(latest_, job, std::min(work, kWorkMax));
  }
  advance(now);
  if (places_.size() <= job) places_.resize(job + 1);
  CHECK(places_[job].sequence == 0 && share > 0);
  put(job, share, std::min(work, kWorkMax).count() * kPerNanosecond, ++sequence_);
  share_out();
}

void Cpu::set_share(TimePoint now, Slot job, std::uint32_t share) {
  if (cores_ == 0) return;
  advance(now);
  const Place place = places_[job];
  CHECK(place.sequence != 0 && share > 0);
  if (place.share == share) return;
  take(job);
  put(job, share, place.ends - class_of(place.share).virtual_time, place.sequence);
  share_out();
}

void Cpu::remove(TimePoint now, Slot job) {
  if (cores_ == 0) return own_.remove(job);
  advance(now);
  if (job >= places_.size() || places_[job].sequence == 0) return;
  take(job);
  share_out();
}

Slot Cpu::next_job() {
  if (cores_ == 0) return own_.next_job();
  const Class* whose = first_to_end().whose;
  return whose == nullptr ? kNoSlot : whose->heap.top().job;
}

Slot Cpu::job_after() {
  if (cores_ == 0) return own_.job_after();
  const Class* whose = first_to_end().whose;
  const Key* second = whose == nullptr ? nullptr : whose->heap.second();
  return second == nullptr ? kNoSlot : second->job;
}

Slot Cpu::take_ended(TimePoint now) {
  if (cores_ == 0) {
    latest_ = std::max(latest_, now);
    return own_.take_ended(latest_);
  }
  advance(now);
  const Class* whose = first_to_end().whose;
  CHECK(whose != nullptr && whose->heap.top().ends <= whose->virtual_time);
  const Slot job = whose->heap.top().job;
  take(job);
  share_out();
  return job;
}

Cpu::Class& Cpu::class_of(std::uint32_t share) {
  if (!classes_.empty() && classes_.front().share == share) return classes_.front();
  const auto at = std::find_if(classes_.begin(), classes_.end(),
                               [share](const Class& one) { return one.share <= share; });
  if (at != classes_.end() && at->share == share) return *at;
  Class added;
  added.share = share;
  return *classes_.insert(at, std::move(added));
}

// Of the first of its jobs: left * den / num / 1024, rounded up.
TimePoint Cpu::end_of(const Class& one) const {
  const std::int64_t left = one.heap.top().ends - one.virtual_time;
  if (left <= 0) return latest_;
  if (one.num == one.den) return latest_ + Duration((left + kPerNanosecond - 1) / kPerNanosecond);
  const std::int64_t per_round = one.num * kPerNanosecond;
  std::int64_t wait = 0;
  if (__builtin_mul_overflow(left / per_round, one.den, &wait)) return TimePoint::max();
  if (wait >= INT64_MAX - one.den) return TimePoint::max();
  wait += scaled(left % per_round, one.den, per_round, true);
  return wait >= (TimePoint::max() - latest_).count() ? TimePoint::max() : latest_ + Duration(wait);
}

const Cpu::Next& Cpu::first_to_end() {
  if (known_) return next_;
  known_ = true;
  next_ = {};
  for (const Class& one : classes_) {
    if (one.heap.empty()) continue;
    const TimePoint at = end_of(one);
    const bool earlier =
        next_.whose == nullptr || at < next_.at ||
        (at == next_.at && one.heap.top().sequence < next_.whose->heap.top().sequence);
    if (earlier) next_ = {&one, at};
  }
  return next_;
}

// With so much work left.
void Cpu::put(Slot job, std::uint32_t share, std::int64_t left, std::uint64_t sequence) {
  known_ = false;
  Class& one = class_of(share);
  const Key key{one.virtual_time + left, sequence, job};
  places_[job] = {key.ends, sequence, share};
  one.heap.push(key);
  ++one.jobs;
  ++jobs_;
}

// Mostly the top of its heap. Any other stays in it, as one that does not run, until it comes to
// the top or such are most of the heap.
void Cpu::take(Slot job) {
  known_ = false;
  Class& one = class_of(places_[job].share);
  places_[job].sequence = 0;
  --one.jobs;
  --jobs_;
  while (!one.heap.empty() && !runs(one, one.heap.top())) one.heap.pop();
  if (one.heap.size() > 2 * std::size_t{one.jobs} + kGoneMin) {
    one.heap.remove_if([&](const Key& key) { return !runs(one, key); });
  }
}

void Cpu::advance(TimePoint now) {
  const std::int64_t passed = (now - latest_).count();
  if (passed <= 0) return;
  latest_ = now;
  known_ = false;
  for (Class& one : classes_) {
    const std::int64_t per_round = one.num * kPerNanosecond;
    one.virtual_time += one.num == one.den ? passed * kPerNanosecond
                                           : passed / one.den * per_round +
                                                 scaled(passed % one.den, per_round, one.den);
  }
}

// From the greatest share on: who would get more than a core has one, and leaves the rest to the
// others, for whom there is more by that.
void Cpu::share_out() {
  const bool crowded = jobs_ > cores_;
  if (!crowded && !crowded_) return;
  crowded_ = crowded;
  std::int64_t cores = cores_;
  std::int64_t shares = 0;
  for (const Class& one : classes_) {
    shares += std::int64_t{one.share} * one.jobs;
  }
  for (Class& one : classes_) {
    const auto jobs = std::int64_t{one.jobs};
    one.num = one.den = 1;
    if (jobs == 0 || !crowded) continue;
    if (one.share * cores >= shares) {
      cores -= jobs;
      shares -= one.share * jobs;
    } else {
      one.num = one.share * cores;
      one.den = shares;
    }
  }
}

}  // namespace subito::simulate
