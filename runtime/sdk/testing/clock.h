// TestClock: the time of a TestContext, which only the test moves, and whether its invocation is
// over. Owned by the TestContext.
#pragma once

#include <algorithm>
#include <chrono>

#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/refusals.h"

namespace subito::testing {

class TestClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // It begins at the real time, so that a handler that looks at the real clock is not far off.
  explicit TestClock(std::chrono::milliseconds timeout)
      : now_(std::chrono::steady_clock::now()), deadline_(now_ + timeout) {}

  Time now() const { return now_; }
  Time deadline() const { return deadline_; }
  void advance(std::chrono::nanoseconds time) { now_ += time; }
  void set(Time time) { now_ = time; }
  void cancel() { cancelled_ = true; }
  bool over() const { return cancelled_ || now_ >= deadline_; }

  std::chrono::milliseconds time_left() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - now_);
    return std::max(std::chrono::milliseconds(0), left);
  }
  void throw_if_over() const {
    if (cancelled_) throw Cancelled(sdk::kWasCancelled);
    if (now_ >= deadline_) throw Cancelled(sdk::kDeadlinePassed);
  }

 private:
  Time now_;
  Time deadline_;
  bool cancelled_ = false;
};

}  // namespace subito::testing
