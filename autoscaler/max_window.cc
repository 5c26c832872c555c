#include "autoscaler/max_window.h"

#include <algorithm>

namespace subito::autoscaler {

std::uint32_t MaxWindow::record(TimePoint now, std::uint32_t value) {
  if (steps_ == 0) return value;
  const std::int64_t step = now.time_since_epoch() / step_;
  std::erase_if(entries_, [&](const Entry& entry) {
    return step - entry.step >= steps_ || entry.value <= value;
  });
  if (entries_.empty() || entries_.back().step != step) entries_.push_back({step, value});
  return entries_.front().value;
}

}  // namespace subito::autoscaler
