// The heap of the simulation against a sorted set.
#include "bench/simulate/min_heap.h"

#include <gtest/gtest.h>

#include <set>

#include "bench/simulate/random.h"

namespace subito::simulate {
namespace {

TEST(MinHeap, AnswersTheLeastWhateverIsPutInAndTakenOut) {
  MinHeap<std::uint64_t> heap;
  std::set<std::uint64_t> all;
  Random random(1, 1);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random.next();
    const std::uint32_t what = random.below(i < 10'000 ? 8 : 16);
    if (what < 5 || all.empty()) {
      heap.push(value);
      all.insert(value);
    } else if (what < 7) {
      heap.replace_top(value);
      all.erase(all.begin());
      all.insert(value);
    } else {
      heap.pop();
      all.erase(all.begin());
    }
    ASSERT_EQ(heap.size(), all.size());
    if (!all.empty()) {
      ASSERT_EQ(heap.top(), *all.begin());
    }
  }
}

TEST(MinHeap, StaysInOrderWhenSomeAreRemovedFromItsMiddle) {
  MinHeap<std::uint64_t> heap;
  for (std::uint64_t i = 0; i < 1000; ++i) heap.push(i * 617 % 1000);
  heap.remove_if([](std::uint64_t value) { return value % 3 != 0; });
  for (std::uint64_t expected = 0; expected < 1000; expected += 3) {
    ASSERT_EQ(heap.top(), expected);
    heap.pop();
  }
  EXPECT_TRUE(heap.empty());
}

}  // namespace
}  // namespace subito::simulate
