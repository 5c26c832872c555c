#include "runtime/loop/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "runtime/base/unique_fd.h"

namespace subito {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(LoopTest, DeferredTasksRunAfterTheCallbacksOfTheTurnAndMayDeferMore) {
  Loop loop;
  std::string order;
  Timer first(loop, [&] {
    loop.defer([&] {
      order += "c";
      loop.defer([&] { order += "d"; });
    });
    order += "a";
  });
  Timer second(loop, [&] {
    order += "b";
    loop.stop();
  });
  first.start(milliseconds(0));
  second.start(milliseconds(0));  // due in the same turn, whenever that begins
  loop.run();
  EXPECT_EQ(order, "abcd");
}

TEST(LoopTest, ADeferredTaskKeepsTheLoopFromBlocking) {
  Loop loop;
  bool ran = false;
  Timer far_away(loop, [] {});
  far_away.start(hours(1));
  loop.defer([&] { ran = true; });
  loop.turn(true);
  EXPECT_TRUE(ran);
}

TEST(NextTurnTest, StartedByItsOwnCallbackItRunsATurnLater) {
  Loop loop;
  int runs = 0;
  std::optional<NextTurn> next;
  next.emplace(loop, [&] {
    if (++runs == 3) return next.reset();
    next->start();
  });
  next->start();
  loop.turn(true);
  EXPECT_EQ(runs, 1);
  loop.turn(true);
  EXPECT_EQ(runs, 2);
  loop.turn(true);
  EXPECT_FALSE(next.has_value()) << "it may be destroyed by its own callback";
}

TEST(TimerTest, MayBeDestroyedByItsOwnCallback) {
  Loop loop;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    timer.reset();
    loop.stop();
  });
  timer->start(milliseconds(1));
  loop.run();
  EXPECT_FALSE(timer.has_value());
}

TEST(TimerTest, RunsOnceAndCanBeStopped) {
  Loop loop;
  int runs = 0;
  Timer stopped(loop, [&] { ++runs; });
  stopped.start(milliseconds(1));
  stopped.stop();
  EXPECT_FALSE(stopped.active());
  Timer end(loop, [&] { loop.stop(); });
  end.start(milliseconds(3));
  loop.run();
  EXPECT_EQ(runs, 0);
}

TEST(PollTest, TellsWhenADescriptorBecomesReadable) {
  Loop loop;
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  UniqueFd ours(fds[0]);
  UniqueFd theirs(fds[1]);
  std::string got;
  Poll poll(loop, ours.get(), [&](int status, int events) {
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(events & UV_READABLE);
    char buffer[8];
    got.assign(buffer, static_cast<std::size_t>(read(ours.get(), buffer, sizeof buffer)));
    loop.stop();
  });
  poll.start(UV_READABLE);
  ASSERT_EQ(write(theirs.get(), "hi", 2), 2);
  loop.run();
  EXPECT_EQ(got, "hi");
}

TEST(WakeupTest, WakesTheLoopFromAnotherThread) {
  Loop loop;
  bool woken = false;
  Wakeup wakeup(loop, [&] {
    woken = true;
    loop.stop();
  });
  std::thread other([&] { wakeup.notify(); });
  loop.run();
  other.join();
  EXPECT_TRUE(woken);
}

TEST(BackgroundTest, WorksOnAnotherThreadAndIsDoneOnTheLoopsOwn) {
  Loop loop;
  std::thread::id worker;
  std::thread::id ender;
  std::unique_ptr<Background> background;
  background = std::make_unique<Background>(
      loop, [&] { worker = std::this_thread::get_id(); },
      [&] {
        ender = std::this_thread::get_id();
        background.reset();
      });
  loop.run();
  EXPECT_NE(worker, std::thread::id());
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_EQ(ender, std::this_thread::get_id());
}

TEST(BackgroundTest, IsNeverDoneOnceItIsGone) {
  bool done = false;
  {
    Loop loop;
    const Background background(
        loop, [] {}, [&] { done = true; });
  }
  EXPECT_FALSE(done);
}

TEST(TurnEndTest, RunsOnceATurnHoweverOftenItIsScheduled) {
  Loop loop;
  int runs = 0;
  TurnEnd end(loop, [&] { ++runs; });
  end.schedule();
  end.schedule();
  loop.turn(false);
  EXPECT_EQ(runs, 1);
  loop.turn(false);
  EXPECT_EQ(runs, 1);
}

TEST(TurnEndTest, NeverCallsOnceItIsGone) {
  Loop loop;
  bool ran = false;
  {
    TurnEnd end(loop, [&] { ran = true; });
    end.schedule();
  }
  loop.turn(false);
  EXPECT_FALSE(ran);
}

TEST(SignalTest, CallsBack) {
  Loop loop;
  bool got = false;
  Signal signal(loop, SIGUSR1, [&] {
    got = true;
    loop.stop();
  });
  raise(SIGUSR1);
  loop.run();
  EXPECT_TRUE(got);
}

}  // namespace
}  // namespace subito
