// The order of what happens to pods.
#include "bench/simulate/event_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

std::string order(EventQueue& queue) {
  std::string out;
  while (queue.next() != TimePoint::max()) {
    const TimePoint next = queue.next();
    const Event event = queue.take();
    EXPECT_EQ(event.at, next);
    out += std::to_string(event.pod.value()) + (event.exits ? "x " : " ");
  }
  return out;
}

TEST(EventQueue, IsInOrderOfTimeThenOfHavingBeenArranged) {
  EventQueue queue;
  std::uint64_t sequence = 0;
  const auto push = [&](Duration at, std::uint64_t pod, bool exits) {
    queue.push({TimePoint(at), ++sequence, PodId(pod), exits});
  };
  push(250ms, 1, false);
  push(1ms, 2, true);
  push(100ms, 3, false);  // starts sooner than one that was arranged before
  push(1ms, 4, false);
  push(100ms, 5, true);
  push(250ms, 6, false);
  push(50ms, 7, true);  // so does this end
  EXPECT_EQ(order(queue), "2x 4 7x 3 5x 1 6 ");
}

TEST(EventQueue, KeepsTheOrderWhileItGrows) {
  EventQueue queue;
  std::uint64_t sequence = 0;
  std::uint64_t taken = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 3; ++i) {
      ++sequence;
      queue.push({TimePoint(Duration(round)), sequence, PodId(sequence), true});
    }
    ASSERT_EQ(queue.take().sequence, ++taken);
  }
  while (queue.next() != TimePoint::max()) ASSERT_EQ(queue.take().sequence, ++taken);
  EXPECT_EQ(taken, sequence);
}

}  // namespace
}  // namespace subito::simulate
