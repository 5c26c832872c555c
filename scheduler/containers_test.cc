// Slots, SlotList, Heap, IdMap and Timers, each against what the standard library says.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "runtime/base/id.h"
#include "scheduler/heap.h"
#include "scheduler/id_map.h"
#include "scheduler/slots.h"
#include "scheduler/timers.h"

namespace subito::scheduler {
namespace {

constexpr int kSteps = 20'000;

struct Item {
  int value = 0;
  Link link;
  Slot position = kNoSlot;
};
using Items = SlotList<Item, &Item::link>;

std::vector<Slot> in_order(const Slots<Item>& slots, const Items& list) {
  std::vector<Slot> out;
  for (Slot at = list.front(); at != kNoSlot; at = slots[at].link.after) out.push_back(at);
  return out;
}

TEST(Slots, AreReusedEmptyAndNeverMove) {
  Slots<Item> slots;
  const Slot first = slots.take();
  Item& item = slots[first];
  for (int i = 0; i < 1000; ++i) slots.take();
  EXPECT_EQ(&item, &slots[first]);
  item.value = 7;
  slots.give_back(first);
  EXPECT_EQ(slots.take(), first);
  EXPECT_EQ(slots[first].value, 0);
}

TEST(SlotList, KeepsItsOrderThroughInsertsAndErases) {
  Slots<Item> slots;
  Items list;
  std::vector<Slot> expected;
  std::mt19937 random(1);
  for (int step = 0; step < kSteps; ++step) {
    if (expected.empty() || random() % 2 == 0) {
      const Slot slot = slots.take();
      const std::size_t at = random() % (expected.size() + 1);
      list.insert(slots, slot, at == expected.size() ? kNoSlot : expected[at]);
      expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), slot);
    } else {
      const std::size_t at = random() % expected.size();
      list.erase(slots, expected[at]);
      slots.give_back(expected[at]);
      expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(list.size(), expected.size());
    ASSERT_EQ(list.back(), expected.empty() ? kNoSlot : expected.back());
    if (expected.size() >= 50) continue;
    ASSERT_EQ(in_order(slots, list), expected);
  }
}

TEST(Heap, HasTheSmallestOnTopWhateverMoves) {
  Slots<Item> slots;
  Heap<std::pair<int, Slot>> heap;
  auto positions = [&](Slot slot) -> Slot& { return slots[slot].position; };
  std::map<Slot, int> expected;
  std::mt19937 random(2);
  for (int i = 0; i < 100; ++i) slots.take();
  for (int step = 0; step < kSteps; ++step) {
    const Slot slot = random() % 100;
    if (random() % 3 != 0) {
      expected[slot] = static_cast<int>(random() % 1000);
      heap.put(slot, {expected[slot], slot}, positions);
    } else {
      expected.erase(slot);
      heap.erase(slot, positions);
    }
    ASSERT_EQ(heap.size(), expected.size());
    if (expected.empty()) continue;
    const auto least =
        std::min_element(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
          return std::pair(a.second, a.first) < std::pair(b.second, b.first);
        });
    ASSERT_EQ(heap.top(), least->first);
    ASSERT_EQ(heap.top_key().first, least->second);
  }
}

TEST(Heap, NoticesAPositionThatIsNotItsOwn) {
  Slots<Item> slots;
  Heap<std::pair<int, Slot>> heap;
  auto positions = [&](Slot slot) -> Slot& { return slots[slot].position; };
  const Slot one = slots.take(), other = slots.take();
  heap.put(one, {1, one}, positions);
  heap.put(other, {2, other}, positions);
  for (const Slot wrong : {slots[other].position, Slot{7}}) {
    slots[one].position = wrong;
    EXPECT_DEATH(heap.erase(one, positions), "is_at");
    EXPECT_DEATH(heap.put(one, {3, one}, positions), "is_at");
  }
}

TEST(IdMap, FindsWhatIsInAndNothingElse) {
  IdMap<PodId> map;
  EXPECT_EQ(map.find(PodId(1)), kNoSlot);
  std::map<std::uint64_t, Slot> expected;
  std::mt19937_64 random(3);
  for (int step = 0; step < kSteps; ++step) {
    // Few and close ids, so that they collide and stand in each other's way.
    const std::uint64_t id = 1 + random() % 300;
    if (expected.contains(id)) {
      map.erase(PodId(id));
      expected.erase(id);
    } else {
      map.insert(PodId(id), static_cast<Slot>(step));
      expected[id] = static_cast<Slot>(step);
    }
    const std::uint64_t asked = 1 + random() % 300;
    const auto found = expected.find(asked);
    ASSERT_EQ(map.find(PodId(asked)), found == expected.end() ? kNoSlot : found->second);
    ASSERT_EQ(map.size(), expected.size());
  }
}

TEST(IdMapDeathTest, TakesAnIdOnlyOnceAndNeverNone) {
  IdMap<PodId> map;
  map.insert(PodId(4), 0);
  EXPECT_DEATH(map.insert(PodId(4), 1), "!cell.id");
  EXPECT_DEATH(map.insert(PodId(), 1), "id");
}

TEST(Timers, ComeInOrderOfTimeAndThenOfSetting) {
  Timers timers;
  const auto at = [](int seconds) { return TimePoint(std::chrono::seconds(seconds)); };
  TimerHandle a = kNoSlot, b = kNoSlot, c = kNoSlot, d = kNoSlot;
  EXPECT_EQ(timers.next(), TimePoint::max());
  timers.set(a, at(5), {Timer::Kind::kPod, 1});
  timers.set(b, at(3), {Timer::Kind::kPod, 2});
  timers.set(c, at(3), {Timer::Kind::kPod, 3});
  timers.set(d, at(4), {Timer::Kind::kPod, 4});
  timers.set(b, at(3), {Timer::Kind::kPod, 2});  // set again: behind c now
  timers.clear(d);
  EXPECT_EQ(d, kNoSlot);
  EXPECT_EQ(timers.next(), at(3));
  EXPECT_EQ(timers.take_due(at(2)).slot, kNoSlot);
  EXPECT_EQ(timers.take_due(at(9)).slot, 3u);
  EXPECT_EQ(timers.take_due(at(9)).slot, 2u);
  EXPECT_EQ(timers.take_due(at(9)).slot, 1u);
  EXPECT_EQ(timers.take_due(at(9)).slot, kNoSlot);
}

TEST(Timers, SetToNeverIsCleared) {
  Timers timers;
  TimerHandle handle = kNoSlot;
  timers.set(handle, TimePoint(std::chrono::seconds(1)), {});
  timers.set(handle, TimePoint::max(), {});
  EXPECT_EQ(handle, kNoSlot);
  EXPECT_EQ(timers.next(), TimePoint::max());
}

TEST(Timers, ThatRestAreNotDueUntilTheyAreSetAgain) {
  Timers timers;
  const auto at = [](int seconds) { return TimePoint(std::chrono::seconds(seconds)); };
  TimerHandle a = kNoSlot, b = kNoSlot;
  timers.rest(a);
  EXPECT_EQ(a, kNoSlot);
  timers.set(a, at(1), {Timer::Kind::kPod, 1});
  timers.set(b, at(2), {Timer::Kind::kPod, 2});
  timers.rest(a);
  EXPECT_NE(a, kNoSlot);
  EXPECT_EQ(timers.next(), at(2));
  timers.set(a, at(3), {Timer::Kind::kPod, 3});
  timers.rest(b);
  EXPECT_EQ(timers.next(), at(3));
  EXPECT_EQ(timers.take_due(at(9)).slot, 3u);
  EXPECT_EQ(timers.next(), TimePoint::max());
  EXPECT_EQ(timers.take_due(at(9)).slot, kNoSlot);
}

// Whatever is set, put off, put forward, cleared, rests or is taken.
TEST(Timers, ComeInOrderHoweverOftenTheyAreMoved) {
  struct Armed {
    TimePoint at;
    int turn;
  };
  Timers timers;
  std::vector<TimerHandle> handles(40, kNoSlot);
  std::map<Slot, Armed> expected;
  std::mt19937 random(4);
  for (int step = 0; step < kSteps; ++step) {
    const Slot slot = random() % 40;
    const unsigned what = random() % 8;
    if (what < 5) {
      // Some always with the same delay, as timeouts are; others with any.
      const unsigned delay = slot % 4 == 0 ? slot : random() % 100;
      const TimePoint at(Duration(step + static_cast<int>(delay)));
      timers.set(handles[slot], at, {static_cast<Timer::Kind>(slot % 5), slot});
      expected[slot] = {at, step};
    } else if (what == 5) {
      timers.clear(handles[slot]);
      ASSERT_EQ(handles[slot], kNoSlot);
      expected.erase(slot);
    } else if (what == 6) {
      timers.rest(handles[slot]);
      expected.erase(slot);
    }
    const auto first = [&] {
      return std::min_element(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second.at, a.second.turn) < std::pair(b.second.at, b.second.turn);
      });
    };
    const TimePoint now(Duration(step + 10));
    for (Timer due; (due = timers.take_due(now)).slot != kNoSlot;) {
      ASSERT_FALSE(expected.empty());
      ASSERT_EQ(due.slot, first()->first);
      handles[due.slot] = kNoSlot;
      expected.erase(due.slot);
    }
    ASSERT_EQ(timers.next(), expected.empty() ? TimePoint::max() : first()->second.at);
    ASSERT_GT(timers.next(), now);
  }
}

TEST(Later, StopsAtTheEndOfTime) {
  EXPECT_EQ(later(TimePoint(Duration(5)), Duration(6)), TimePoint(Duration(11)));
  EXPECT_EQ(later(TimePoint(Duration(5)), Duration::max()), TimePoint::max());
  EXPECT_EQ(later(TimePoint::max(), Duration(1)), TimePoint::max());
}

}  // namespace
}  // namespace subito::scheduler
