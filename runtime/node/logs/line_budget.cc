#include "runtime/node/logs/line_budget.h"

#include <algorithm>

namespace subito::node {

bool LineBudget::take(std::size_t bytes, TimePoint now) {
  const std::chrono::duration<double> passed = std::max(now - at_, Duration::zero());
  at_ = std::max(at_, now);
  lines_ = std::min(rates_.lines_burst, lines_ + passed.count() * rates_.lines_per_second);
  bytes_ = std::min(rates_.bytes_burst, bytes_ + passed.count() * rates_.bytes_per_second);
  const auto size = static_cast<double>(bytes);
  if (lines_ < 1 || bytes_ < size) return false;
  lines_ -= 1;
  bytes_ -= size;
  return true;
}

}  // namespace subito::node
