// LoopLag: how late the loop is: once a second it looks how much later than it should a timer ran.
// libuv counts milliseconds, so up to one of them is none. It looks from the first reading on until
// nobody has read for kWatchedFor: an idle node that nobody watches is not woken. Owned by the
// node, on the loop's thread.
#pragma once

#include "runtime/loop/loop.h"
#include "runtime/metrics/duration_buckets.h"

namespace subito::node {

class LoopLag {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);
  static constexpr Duration kWatchedFor = std::chrono::minutes(5);

  explicit LoopLag(Loop& loop) : loop_(loop), timer_(loop, [this] { tick(); }) {}
  const metrics::DurationBuckets& read() {
    read_ = loop_.now();
    if (!timer_.active()) start();
    return buckets_;
  }

 private:
  void start() {
    due_ = loop_.now() + kInterval;
    timer_.start(kInterval);
  }
  void tick() {
    buckets_.observe(loop_.now() - due_);
    if (loop_.now() - read_ < kWatchedFor) start();
  }

  Loop& loop_;
  Timer timer_;
  TimePoint due_{};
  TimePoint read_{};
  metrics::DurationBuckets buckets_;
};

}  // namespace subito::node
