#include "bench/simulate/tally.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "bench/simulate/exact_math.h"

namespace subito::simulate {
namespace {
constexpr std::int64_t kThousandths = 1000;
}  // namespace

// 1024 thousandths begin the first octave: off by 2 %, and a shift finds the bin.
void SlowdownBins::record(std::int64_t thousandths) {
  const std::int64_t above = std::max<std::int64_t>(thousandths * 1024 / kThousandths, 1024);
  const auto value = static_cast<std::uint64_t>(above);
  const std::size_t octave = static_cast<std::size_t>(std::bit_width(value)) - 11;
  const std::size_t eighth = (value >> (octave + 7)) & (kPerOctave - 1);
  ++counts_[std::min(octave * kPerOctave + eighth, counts_.size() - 1)];
}

double SlowdownBins::percentile(double fraction) const {
  const std::uint64_t all = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  if (all == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(all)));
  std::uint64_t seen = 0;
  std::size_t bin = 0;
  while (bin + 1 < counts_.size() && (seen += counts_[bin]) < rank) ++bin;
  if (bin == 0) return 1;  // no slower than 1.125: as good as not at all
  const double octave = static_cast<double>(std::uint64_t{1} << (bin / kPerOctave));
  return octave * (1 + (static_cast<double>(bin % kPerOctave) + 0.5) / kPerOctave);
}

Tally::Tally(std::size_t functions, std::span<const NamedFunction> named)
    : functions_(functions), named_(named.size()) {
  for (std::size_t i = 0; i < named.size(); ++i) named_[i].name = named[i].name;
}

void Tally::arrived(std::uint32_t function) {
  if (!named_.empty()) ++named_[function].arrived;
}

void Tally::completed(std::uint32_t function, Duration waiting, Duration response, Duration service,
                      bool cold) {
  const std::int64_t base = std::max<std::int64_t>(service.count(), 1);
  // Longer than 106 days: a thousandth no longer counts.
  const std::int64_t slowdown =
      std::min<std::int64_t>(response.count(), INT64_MAX / kThousandths) * kThousandths / base;
  pending_[pending_size_++] = {waiting.count(), response.count(), slowdown};
  if (pending_size_ == kPending) count_pending();
  functions_[function].record(slowdown);
  cold_ += static_cast<std::uint64_t>(cold);
  if (named_.empty()) return;
  ++named_[function].completed;
  named_[function].response.record(response.count());
  named_[function].slowdown.record(slowdown);
}

void Tally::count_pending() {
  for (std::size_t i = 0; i < pending_size_; ++i) waiting_.record(pending_[i].waiting);
  for (std::size_t i = 0; i < pending_size_; ++i) response_.record(pending_[i].response);
  for (std::size_t i = 0; i < pending_size_; ++i) slowdown_.record(pending_[i].slowdown);
  pending_size_ = 0;
}

void Tally::refused(std::uint32_t function, scheduler::RefuseReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  if (refused_.size() <= index) refused_.resize(index + 1);
  ++refused_[index];
  refused_with(function, scheduler::http_status(reason));
}

void Tally::cancelled(std::uint32_t function) {
  ++cancelled_;
  refused_with(function, 504);
}

void Tally::looped(std::uint32_t function) {
  ++looped_;
  refused_with(function, 508);
}

void Tally::failed(std::uint32_t function) {
  ++failed_;
  if (!named_.empty()) ++named_[function].failed;
}

void Tally::refused_with(std::uint32_t function, int status) {
  if (!named_.empty()) ++named_[function].refused[status];
}

void Tally::fill(Outcome& outcome) {
  count_pending();
  outcome.completed = response_.count();
  outcome.cold = cold_;
  outcome.cancelled = cancelled_;
  outcome.looped = looped_;
  outcome.failed = failed_;
  outcome.functions = named_;
  outcome.refused = refused_;
  outcome.waiting = waiting_;
  outcome.response = response_;
  outcome.slowdown = slowdown_;
  double logs = 0;
  std::size_t called = 0;
  for (const SlowdownBins& bins : functions_) {
    const double percentile = bins.percentile(0.99);
    if (percentile == 0) continue;
    logs += natural_log(percentile);
    ++called;
  }
  outcome.slowdown_p99_functions =
      called == 0 ? 0 : exponential(logs / static_cast<double>(called));
}

std::uint64_t Outcome::refused_all() const {
  return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
}

std::uint64_t Outcome::lost() const {
  return refused_all() + cancelled + looped + failed;
}

double Outcome::cold_share() const {
  return completed == 0 ? 0 : static_cast<double>(cold) / static_cast<double>(completed);
}

double Outcome::starts_per_second() const {
  const double seconds = std::chrono::duration<double>(covered).count();
  return seconds > 0 ? static_cast<double>(starts) / seconds : 0;
}

}  // namespace subito::simulate
