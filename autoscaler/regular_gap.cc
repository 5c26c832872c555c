#include "autoscaler/regular_gap.h"

#include <algorithm>

namespace subito::autoscaler {
namespace {

constexpr int kMeanWeight = 8;       // one gap moves the mean by an eighth of its distance
constexpr int kDeviationWeight = 4;  // and the deviation by a quarter
constexpr int kDeviations = 4;

}  // namespace

void RegularGap::add(Duration gap) {
  if (count_ == 0) {
    mean_ = gap;
    deviation_ = gap / 2;
  } else {
    const Duration off = gap - mean_;
    mean_ += off / kMeanWeight;
    deviation_ += ((off < Duration::zero() ? -off : off) - deviation_) / kDeviationWeight;
  }
  if (count_ < kGapsMin) ++count_;
}

Duration RegularGap::margin() const {
  return std::max(kDeviations * deviation_, kMarginMin);
}

}  // namespace subito::autoscaler
