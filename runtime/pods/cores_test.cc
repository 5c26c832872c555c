#include "runtime/pods/cores.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace subito::pods {
namespace {

// The cores that a thread of this process may run on.
int cores_of(pid_t thread) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  EXPECT_EQ(sched_getaffinity(thread, sizeof cores, &cores), 0);
  return CPU_COUNT(&cores);
}

class CoresTest : public testing::Test {
 protected:
  ~CoresTest() override { EXPECT_TRUE(!moved || cores.move(getpid(), Cores::kAny)); }
  SystemCores cores;
  bool moved = false;
};

TEST_F(CoresTest, KnowsWhereItRuns) {
  EXPECT_GE(cores.count(), 1);
  EXPECT_GE(cores.current(), 0);
}

TEST_F(CoresTest, MovesAllThreadsOfAProcessThereAndBack) {
  if (cores.count() < 2) GTEST_SKIP() << "one core: nothing can be moved";
  std::atomic<pid_t> thread = 0;
  std::atomic<bool> enough = false;
  std::thread other([&] {
    thread = gettid();
    enough.wait(false);
  });
  while (thread == 0) std::this_thread::yield();
  moved = true;
  EXPECT_TRUE(cores.move(getpid(), cores.current()));
  EXPECT_EQ(cores_of(getpid()), 1);
  EXPECT_EQ(cores_of(thread), 1);
  EXPECT_TRUE(cores.move(getpid(), Cores::kAny));
  EXPECT_EQ(cores_of(getpid()), cores.count());
  EXPECT_EQ(cores_of(thread), cores.count());
  enough = true;
  enough.notify_all();
  other.join();
}

TEST_F(CoresTest, ReadsWhatAProcessRan) {
  const auto before = cores.ran(getpid());
  ASSERT_TRUE(before) << before.error().message;
  volatile std::uint64_t work = 0;
  for (int i = 0; i < 2'000'000; ++i) work = work + 1;
  sched_yield();
  const auto after = cores.ran(getpid());
  ASSERT_TRUE(after);
  EXPECT_GT(after->on_core, before->on_core);
  EXPECT_GT(after->stretches, 0U);
}

TEST_F(CoresTest, HoldsTheCallingThreadAlone) {
  if (cores.count() < 2) GTEST_SKIP() << "one core: nothing can be held";
  ASSERT_TRUE(cores.move_this_thread(cores.current()));
  EXPECT_EQ(cores_of(0), 1);
  const auto ran = cores.ran_this_thread();
  EXPECT_TRUE(ran && ran->on_core > Duration::zero());
  EXPECT_TRUE(cores.move_this_thread(Cores::kAny));
  EXPECT_EQ(cores_of(0), cores.count());
}

TEST_F(CoresTest, SaysThatThereIsNoSuchProcess) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(cores.ran(child));
  EXPECT_FALSE(cores.move(child, Cores::kAny));
}

}  // namespace
}  // namespace subito::pods
