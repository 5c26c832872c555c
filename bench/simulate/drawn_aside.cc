#include "bench/simulate/drawn_aside.h"

#include <utility>

#include "bench/simulate/thread_time.h"

namespace subito::simulate {

DrawnAside::DrawnAside(std::unique_ptr<Workload> source, double& cpu_seconds)
    : source_(std::move(source)), cpu_seconds_(cpu_seconds), thread_([this] { draw(); }) {}

DrawnAside::~DrawnAside() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
}

// The one before is given back by it.
bool DrawnAside::next_block() {
  if (taken_.arrivals != nullptr && taken_.size < kBlock) return false;
  std::unique_lock lock(mutex_);
  if (taken_.arrivals != nullptr) ++blocks_taken_;
  changed_.notify_one();
  changed_.wait(lock, [this] { return blocks_drawn_ > blocks_taken_; });
  const std::size_t place = blocks_taken_ % ring_.size();
  taken_ = {&ring_[place], sizes_[place]};
  at_ = 0;
  return taken_.size > 0;
}

void DrawnAside::draw() {
  for (std::uint64_t block = 0, size = kBlock; size == kBlock; ++block) {
    Arrivals& arrivals = ring_[block % ring_.size()];
    for (size = 0; size < kBlock && source_->next(arrivals[size]);) ++size;
    std::unique_lock lock(mutex_);
    sizes_[block % ring_.size()] = size;
    blocks_drawn_ = block + 1;
    changed_.notify_one();
    changed_.wait(lock, [this] { return stopping_ || blocks_drawn_ - blocks_taken_ <= kBlocks; });
    if (stopping_) break;
  }
  cpu_seconds_ = thread_cpu_seconds();
}

}  // namespace subito::simulate
