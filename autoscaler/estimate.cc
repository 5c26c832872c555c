#include "autoscaler/estimate.h"

#include <algorithm>

namespace subito::autoscaler {
namespace {
constexpr int kWeight = 8;  // one observation moves the mean by 1/kWeight of its distance
}

void Estimate::observe(Duration value) {
  value = std::max(value, Duration::zero());
  // The first replaces the prior, which was a guess.
  mean_ = count_ == 0 ? value : mean_ + (value - mean_) / kWeight;
  ++count_;
}

}  // namespace subito::autoscaler
