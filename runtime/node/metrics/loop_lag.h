// LoopLag: how late the loop is: once a second it looks how much later than it should a timer ran.
// libuv counts milliseconds, so up to one of them is none. Owned by the node, on the loop's thread.
#pragma once

#include "runtime/loop/loop.h"
#include "runtime/metrics/duration_buckets.h"

namespace subito::node {

class LoopLag {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);

  explicit LoopLag(Loop& loop) : loop_(loop), timer_(loop, [this] { tick(); }) {}
  void start() {
    due_ = loop_.now() + kInterval;
    timer_.start(kInterval);
  }
  const metrics::DurationBuckets& buckets() const { return buckets_; }

 private:
  void tick() {
    buckets_.observe(loop_.now() - due_);
    start();
  }

  Loop& loop_;
  Timer timer_;
  TimePoint due_{};
  metrics::DurationBuckets buckets_;
};

}  // namespace subito::node
