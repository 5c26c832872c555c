#include "scheduler/queue_pace.h"

#include <algorithm>

#include "autoscaler/instant.h"

namespace subito::scheduler {

void QueuePace::ended(TimePoint now, bool others_wait) {
  if (!others_wait) {
    last_end_ = {};
    gaps_ = std::min(gaps_, kGapsOfEarlier);
    return;
  }
  if (last_end_ != TimePoint()) {
    gaps_ = std::min(gaps_ + 1, kGapsMax);
    mean_ += (now - last_end_ - mean_) / static_cast<Duration::rep>(gaps_);
  }
  last_end_ = now;
}

Duration QueuePace::wait(std::uint32_t waiting) const {
  return autoscaler::expected_wait(waiting, mean_, 1);
}

}  // namespace subito::scheduler
