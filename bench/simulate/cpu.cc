#include "bench/simulate/cpu.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace subito::simulate {
namespace {

constexpr std::int64_t kPerNanosecond = 1024;
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
  advance(now);
  if (places_.size() <= job) places_.resize(job + 1);
  CHECK(places_[job].position == kNoSlot && share > 0);
  const std::int64_t units = std::min(work, kWorkMax).count() * kPerNanosecond;
  put(job, share, {class_of(share).virtual_time + units, ++sequence_});
  share_out();
}

void Cpu::set_share(TimePoint now, Slot job, std::uint32_t share) {
  advance(now);
  CHECK(places_[job].position != kNoSlot && share > 0);
  Key key = places_[job].key;
  if (places_[job].share == share) return;
  key.ends -= class_of(places_[job].share).virtual_time;  // what is left
  take(job);
  key.ends += class_of(share).virtual_time;
  put(job, share, key);
  share_out();
}

void Cpu::remove(TimePoint now, Slot job) {
  advance(now);
  if (job >= places_.size() || places_[job].position == kNoSlot) return;
  take(job);
  share_out();
}

TimePoint Cpu::next() {
  return first_to_end().at;
}

Slot Cpu::next_job() {
  const Class* whose = first_to_end().whose;
  return whose == nullptr ? kNoSlot : whose->heap.top();
}

Slot Cpu::job_after() {
  const Class* whose = first_to_end().whose;
  return whose == nullptr ? kNoSlot : whose->heap.second();
}

Slot Cpu::take_ended(TimePoint now) {
  advance(now);
  const Class* whose = first_to_end().whose;
  CHECK(whose != nullptr && whose->heap.top_key().ends <= whose->virtual_time);
  const Slot job = whose->heap.top();
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
  const std::int64_t left = one.heap.top_key().ends - one.virtual_time;
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
        (at == next_.at && one.heap.top_key().sequence < next_.whose->heap.top_key().sequence);
    if (earlier) next_ = {&one, at};
  }
  return next_;
}

void Cpu::put(Slot job, std::uint32_t share, Key key) {
  known_ = false;
  places_[job].share = share;
  places_[job].key = key;
  class_of(share).heap.put(job, key, positions());
  ++jobs_;
}

void Cpu::take(Slot job) {
  known_ = false;
  class_of(places_[job].share).heap.erase(job, positions());
  --jobs_;
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
  const bool crowded = cores_ != 0 && jobs_ > cores_;
  if (!crowded && !crowded_) return;
  crowded_ = crowded;
  std::int64_t cores = cores_;
  std::int64_t shares = 0;
  for (const Class& one : classes_) {
    shares += one.share * static_cast<std::int64_t>(one.heap.size());
  }
  for (Class& one : classes_) {
    const auto jobs = static_cast<std::int64_t>(one.heap.size());
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
