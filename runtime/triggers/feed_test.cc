#include "runtime/triggers/feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "scheduler/backoff.h"

namespace subito::triggers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kStart{seconds(100)};

std::string words(const Action& action) {
  const std::string number = std::to_string(action.number);
  switch (action.kind) {
    case Action::Kind::kRecover:
      return "recover";
    case Action::Kind::kLook:
      return "look " + std::to_string(action.room);
    case Action::Kind::kTake:
      return "take " + action.id;
    case Action::Kind::kDeliver: {
      std::string text = "deliver " + action.id;
      for (const std::string& other : action.others) text += "+" + other;
      return text + " " + number;
    }
    case Action::Kind::kUntake:
      return "untake " + action.id + " " + number;
    case Action::Kind::kAcknowledge:
      return "acknowledge " + action.id;
    case Action::Kind::kDeadLetter:
      return "dead " + action.id + " " + number + " " + action.why;
  }
  return "?";
}

// A feed and what it wants done, as words; `now` moves by hand.
struct Bench {
  explicit Bench(const FeedLimits& limits) : feed(limits) {}

  std::vector<std::string> take_words() {
    std::vector<std::string> out;
    for (const Action& action : actions) out.push_back(words(action));
    actions.clear();
    return out;
  }
  void begin() {
    feed.connected(now, actions);
    feed.recovered(now, {}, actions);
    actions.clear();
  }
  // New entries of a stream, which the look has taken.
  void found(const std::vector<std::string>& ids, bool more = false) {
    Found found;
    for (const std::string& id : ids) found.items.push_back({id, true});
    found.more = more;
    feed.found(now, found, actions);
  }
  void answer(const std::string& id, Outcome outcome, Duration after = {}) {
    feed.answered(now, id, outcome, outcome == Outcome::kAccepted ? "" : "503", after, actions);
  }

  Feed feed;
  Actions actions;
  TimePoint now = kStart;
};

TEST(Feed, RecoversThenLooksThenDeliversAndAcknowledges) {
  Bench bench({});
  bench.feed.changed(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), IsEmpty()) << "Redis is not there yet";
  bench.feed.connected(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("recover"));
  bench.feed.recovered(bench.now, {}, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("look 1"));
  bench.found({"1-0"});
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1-0 1"));
  bench.answer("1-0", Outcome::kAccepted);
  EXPECT_THAT(bench.take_words(), ElementsAre("acknowledge 1-0"));
  bench.feed.settled(bench.now, "1-0", bench.actions);
  EXPECT_THAT(bench.take_words(), IsEmpty());
  EXPECT_EQ(bench.feed.wake_at(), TimePoint::max()) << "a quiet stream costs nothing";
}

TEST(Feed, NewsDuringALookAreLookedForOnce) {
  Bench bench({});
  bench.begin();
  bench.found({});
  bench.feed.changed(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("look 1"));
  bench.feed.changed(bench.now, bench.actions);
  bench.feed.changed(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), IsEmpty());
  bench.found({});
  EXPECT_THAT(bench.take_words(), ElementsAre("look 1"));
  bench.found({});
  EXPECT_THAT(bench.take_words(), IsEmpty());
}

TEST(Feed, WhatIsFoundTogetherIsDeliveredTogetherUpToABatch) {
  Bench bench({.in_flight = 2, .batch = 3});
  bench.feed.connected(bench.now, bench.actions);
  bench.take_words();
  bench.feed.recovered(bench.now, {}, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("look 6"));
  bench.found({"1", "2", "3", "4", "5", "6"}, true);
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1+2+3 1", "deliver 4+5+6 1"));
  for (const char* id : {"1", "2", "3"}) bench.answer(id, Outcome::kAccepted);
  EXPECT_THAT(bench.take_words(),
              ElementsAre("acknowledge 1", "look 3", "acknowledge 2", "acknowledge 3"));
  bench.found({"7"});
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 7 1"));
}

TEST(Feed, WhatFailedOfABatchComesAgainAlone) {
  Bench bench({.batch = 5});
  bench.begin();
  bench.found({"1", "2", "3"});
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1+2+3 1"));
  bench.answer("1", Outcome::kFailed);
  bench.answer("2", Outcome::kAccepted);
  bench.answer("3", Outcome::kFailed);
  EXPECT_THAT(bench.take_words(), ElementsAre("acknowledge 2"));
  bench.found({"4"});
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 4 1"));
  bench.answer("4", Outcome::kAccepted);
  bench.take_words();
  bench.now = bench.feed.wake_at();
  bench.feed.tick(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("take 1"));
  bench.feed.taken(bench.now, "1", 2, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1 2")) << "without 3, which waits too";
}

TEST(Feed, ABatchInOrderHoldsUpWhatIsBehindItsFirstFailure) {
  Bench bench({.batch = 2, .ordered = true});
  bench.begin();
  bench.found({"1", "2", "3"});
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1+2 1"));
  bench.answer("1", Outcome::kAccepted);
  EXPECT_THAT(bench.take_words(), ElementsAre("acknowledge 1"));
  bench.answer("2", Outcome::kFailed);
  EXPECT_THAT(bench.take_words(), IsEmpty()) << "3 waits for 2";
}

TEST(Feed, ABatchHoldsNoMoreThanItsBytes) {
  Bench bench({.batch = 10});
  bench.begin();
  Found found;
  found.items = {{"1", true, kBatchBytesMax - 1}, {"2", true, 1}, {"3", true, 1}};
  bench.feed.found(bench.now, found, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1+2 1"));
}

TEST(Feed, TriesAgainLaterAndThenMakesADeadLetter) {
  Bench bench({.deliveries_max = 2});
  bench.begin();
  bench.found({"1-0"});
  bench.take_words();
  bench.answer("1-0", Outcome::kFailed);
  EXPECT_THAT(bench.take_words(), IsEmpty());
  EXPECT_EQ(bench.feed.wake_at(), bench.now + scheduler::backoff_delay(1));
  EXPECT_EQ(bench.feed.backing_off(), 1U);
  bench.now = bench.feed.wake_at();
  bench.feed.tick(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("take 1-0"));
  bench.feed.taken(bench.now, "1-0", 2, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1-0 2"));
  bench.answer("1-0", Outcome::kFailed);
  EXPECT_THAT(bench.take_words(), ElementsAre("dead 1-0 2 503"));
}

TEST(Feed, ARefusalOfTheNodeIsNoDelivery) {
  Bench bench({.deliveries_max = 1});
  bench.begin();
  bench.found({"1-0"});
  bench.take_words();
  bench.answer("1-0", Outcome::kRefused, seconds(3));
  EXPECT_THAT(bench.take_words(), ElementsAre("untake 1-0 0"));
  EXPECT_EQ(bench.feed.wake_at(), bench.now + seconds(3));
  bench.now += seconds(3);
  bench.feed.tick(bench.now, bench.actions);
  bench.feed.taken(bench.now, "1-0", 1, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("take 1-0", "deliver 1-0 1"));
}

TEST(Feed, OneThatFailsHoldsUpAnOrderedFeedAndNoOther) {
  for (const bool ordered : {true, false}) {
    Bench bench({.in_flight = ordered ? 1U : 2U, .ordered = ordered});
    bench.begin();
    bench.found({"1-0"}, true);
    bench.answer("1-0", Outcome::kFailed);
    if (ordered) {
      EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1-0 1"));
    } else {
      EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1-0 1", "look 1"));
      bench.found({"2-0"});
      EXPECT_THAT(bench.take_words(), ElementsAre("deliver 2-0 1"));
    }
  }
}

TEST(Feed, DeliversNoMoreAtOnceThanItMay) {
  Bench bench({.in_flight = 2});
  bench.begin();
  Found found;
  for (const char* id : {"a", "b", "c"}) found.items.push_back({id});
  bench.feed.found(bench.now, found, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("take a", "take b"));
  bench.feed.gone(bench.now, "a", bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("take c"));
  EXPECT_EQ(bench.feed.wake_at(), TimePoint::max());
}

TEST(Feed, WakesForWhatIsDueNextAndLooksAgainThen) {
  Bench bench({.in_flight = 8});
  bench.begin();
  Found nothing;
  nothing.next_in = seconds(40);
  bench.feed.found(bench.now, nothing, bench.actions);
  EXPECT_EQ(bench.feed.wake_at(), bench.now + seconds(40));
  bench.now += seconds(40);
  bench.feed.tick(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("look 8"));
}

TEST(Feed, AsksAgainForAllThatARedisWhichWentAwayDidNotAnswer) {
  Bench bench({.in_flight = 3});
  bench.begin();
  bench.found({"1-0", "2-0"});
  bench.answer("1-0", Outcome::kAccepted);
  bench.take_words();
  bench.feed.disconnected(bench.now);
  EXPECT_EQ(bench.feed.wake_at(), TimePoint::max());
  bench.answer("2-0", Outcome::kAccepted);
  EXPECT_THAT(bench.take_words(), IsEmpty());
  bench.feed.connected(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("recover", "acknowledge 1-0", "acknowledge 2-0"));
  // Redis has both still as taken: it had not been told.
  bench.feed.recovered(bench.now, {"1-0", "2-0", "3-0"}, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("take 3-0", "look 2"));
}

TEST(Feed, WhatWasTakenTooOftenByNodesThatEndedIsADeadLetter) {
  Bench bench({.deliveries_max = 3});
  bench.feed.connected(bench.now, bench.actions);
  bench.feed.recovered(bench.now, {"1-0"}, bench.actions);
  bench.take_words();
  bench.feed.taken(bench.now, "1-0", 4, bench.actions);
  EXPECT_THAT(
      bench.take_words(),
      ElementsAre("dead 1-0 3 its last delivery was never answered: the node ended", "look 1"));
}

TEST(Feed, AfterAnErrorOfRedisItPausesAndRecovers) {
  Bench bench({});
  bench.feed.connected(bench.now, bench.actions);
  bench.take_words();
  bench.feed.source_failed(bench.now);
  EXPECT_EQ(bench.feed.wake_at(), bench.now + kErrorPause);
  bench.now += kErrorPause;
  bench.feed.tick(bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("recover"));
}

TEST(Feed, BeginsNothingWhilePausedOrOnceStopped) {
  Bench bench({});
  bench.begin();
  bench.feed.pause(true, bench.now, bench.actions);
  bench.found({"1-0"});
  EXPECT_THAT(bench.take_words(), IsEmpty());
  bench.feed.pause(false, bench.now, bench.actions);
  EXPECT_THAT(bench.take_words(), ElementsAre("deliver 1-0 1"));
  bench.feed.stop();
  bench.answer("1-0", Outcome::kAccepted);
  EXPECT_THAT(bench.take_words(), ElementsAre("acknowledge 1-0"));
}

// A stream group as Redis keeps it, a feed, and chance: answers, failures, refusals, a Redis and a
// node that go away. Each entry ends once; no more at once than allowed; an ordered feed in order.
class Model {
 public:
  Model(std::uint64_t seed, const FeedLimits& limits)
      : random_(seed), limits_(limits), feed_(std::make_unique<Feed>(limits)) {}

  void run() {
    connect();
    for (int step = 0; step < 4000; ++step) {
      if (step < 3000 && chance(4)) entries_.push_back(std::to_string(1000 + entries_.size()));
      act();
      if (step < 3000 && chance(300)) restart_node();
      if (step < 3000 && chance(200)) restart_redis();
      answer_one(step >= 3000);
      now_ += milliseconds(pick(400));
      if (feed_->wake_at() <= now_) feed_->tick(now_, actions_);
      if (chance(3)) feed_->changed(now_, actions_);
    }
    for (int i = 0; i < 20'000 && ended_.size() < entries_.size(); ++i) {
      act();
      answer_one(true);
      now_ += milliseconds(100);
      if (feed_->wake_at() <= now_) feed_->tick(now_, actions_);
      feed_->changed(now_, actions_);
    }
    EXPECT_EQ(ended_.size(), entries_.size()) << "every entry ends";
    EXPECT_TRUE(pending_.empty());
    EXPECT_TRUE(!limits_.ordered || std::is_sorted(order_.begin(), order_.end()));
  }

 private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(std::uint64_t one_in) { return pick(one_in) == 0; }

  void connect() { feed_->connected(now_, actions_); }
  void restart_node() {
    feed_ = std::make_unique<Feed>(limits_);
    delivering_.clear();
    actions_.clear();
    connect();
  }
  void restart_redis() {
    feed_->disconnected(now_);
    Actions kept;
    for (Action& action : actions_) {  // what was to be delivered is; the rest is lost
      if (action.kind == Action::Kind::kDeliver) kept.push_back(action);
    }
    actions_ = kept;
    connect();
  }

  void act() {
    while (!actions_.empty()) {
      const Actions batch = std::exchange(actions_, {});
      for (const Action& action : batch) act(action);
    }
  }

  void act(const Action& action) {
    switch (action.kind) {
      case Action::Kind::kRecover: {
        std::vector<std::string> ids;
        for (const auto& [id, count] : pending_) ids.push_back(id);
        return feed_->recovered(now_, ids, actions_);
      }
      case Action::Kind::kLook:
        return look(action.room);
      case Action::Kind::kTake:
        if (!pending_.contains(action.id)) return feed_->gone(now_, action.id, actions_);
        return feed_->taken(now_, action.id, ++pending_[action.id], actions_);
      case Action::Kind::kDeliver:
        EXPECT_TRUE(delivering_.emplace(action.id, action.others).second)
            << "twice at once: " << action.id;
        EXPECT_LE(delivering_.size(), limits_.in_flight);
        EXPECT_LT(action.others.size(), limits_.batch);
        EXPECT_LE(action.number, limits_.deliveries_max);
        return;
      case Action::Kind::kUntake:
        if (pending_.contains(action.id)) pending_[action.id] = action.number;
        return;
      case Action::Kind::kAcknowledge:
      case Action::Kind::kDeadLetter:
        if (pending_.erase(action.id) > 0) {
          EXPECT_TRUE(ended_.insert(action.id).second) << "ended twice: " << action.id;
          order_.push_back(action.id);
        }
        return feed_->settled(now_, action.id, actions_);
    }
  }

  void look(std::size_t room) {
    Found found;
    for (; room > 0 && read_ < entries_.size(); --room, ++read_) {
      pending_[entries_[read_]] = 1;
      found.items.push_back({entries_[read_], true});
    }
    found.more = room == 0;
    feed_->found(now_, found, actions_);
  }

  void answer_one(bool accept) {
    if (delivering_.empty()) return;
    auto one = delivering_.begin();
    std::advance(one, static_cast<std::ptrdiff_t>(pick(delivering_.size())));
    std::vector<std::string> ids = std::move(one->second);
    ids.insert(ids.begin(), one->first);
    delivering_.erase(one);
    const bool refused = !accept && chance(9);
    bool failed = false;
    for (const std::string& id : ids) {
      failed = (failed && limits_.ordered) || (!accept && chance(5));
      const auto outcome = refused  ? Outcome::kRefused
                           : failed ? Outcome::kFailed
                                    : Outcome::kAccepted;
      feed_->answered(now_, id, outcome, "no", Duration::zero(), actions_);
    }
  }

  std::mt19937_64 random_;
  const FeedLimits limits_;
  std::unique_ptr<Feed> feed_;
  Actions actions_;
  TimePoint now_ = kStart;
  std::vector<std::string> entries_;
  std::size_t read_ = 0;
  std::map<std::string, std::uint32_t> pending_;                // and their counts
  std::map<std::string, std::vector<std::string>> delivering_;  // and by the same delivery
  std::set<std::string> ended_;
  std::vector<std::string> order_;
};

TEST(Feed, EndsEveryItemOnceWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Model(seed, {.in_flight = 1, .ordered = true, .deliveries_max = 3}).run();
    Model(seed, {.in_flight = 5, .ordered = false, .deliveries_max = 3}).run();
    Model(seed, {.in_flight = 1, .batch = 4, .ordered = true, .deliveries_max = 3}).run();
    Model(seed, {.in_flight = 3, .batch = 4, .ordered = false, .deliveries_max = 3}).run();
  }
}

}  // namespace
}  // namespace subito::triggers
