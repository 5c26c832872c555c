#include "bench/kit/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>

#include "bench/child.h"

namespace subito::bench {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

std::chrono::nanoseconds own_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(ProcessTree, FindsDescendantsOfDescendantsOnce) {
  const std::map<pid_t, Process> all = {
      {1, {0, "init"}}, {2, {1, "a"}}, {3, {2, "b"}}, {4, {3, "c"}}, {5, {1, "other"}}};
  EXPECT_THAT(with_descendants(all, {2}), ElementsAre(2, 3, 4));
  EXPECT_THAT(with_descendants(all, {2, 3}), ElementsAre(2, 3, 4));
  EXPECT_THAT(with_descendants(all, {6}), ElementsAre());
}

TEST(ProcessTree, SeesThisProcessAndItsChild) {
  UniqueFd output;
  const auto child = start_service({"cat", {"cat", "/dev/zero"}}, output, STDERR_FILENO);
  ASSERT_TRUE(child);
  const auto all = processes();
  EXPECT_EQ(all.at(::getpid()).parent, ::getppid());
  EXPECT_EQ(all.at(child->pid()).parent, ::getpid());
  EXPECT_THAT(with_descendants(all, {::getpid()}), Contains(child->pid()));
  EXPECT_THAT(with_descendants(all, {child->pid()}), Not(Contains(::getpid())));
}

TEST(CpuMeter, CountsWhatWasUsedSinceItsMaking) {
  const auto before = own_time();
  const CpuMeter meter({::getpid()});
  const auto until = own_time() + std::chrono::milliseconds(20);
  while (own_time() < until) {
  }
  const CpuUse use = meter.used();
  EXPECT_GE(use.time, std::chrono::milliseconds(20));
  EXPECT_LE(use.time, own_time() - before) << "what was used before it is not in it";
  EXPECT_EQ(use.ended, 0U);
}

TEST(CpuMeter, CountsAChildThatCameMeanwhileAndTellsOfOneThatEnded) {
  const CpuMeter before({::getpid()});
  UniqueFd output;
  auto child = start_service({"cat", {"cat", "/dev/zero"}}, output, STDERR_FILENO);
  ASSERT_TRUE(child);
  EXPECT_EQ(before.used().ended, 0U);
  EXPECT_GT(before.used().time.count(), 0);
  const CpuMeter meter({::getpid(), child->pid()});
  ASSERT_FALSE(child->end(std::chrono::milliseconds(0))) << "it had to be killed";
  EXPECT_EQ(meter.used().ended, 1U);
}

TEST(CpuTime, OfNoProcessIsNone) {
  EXPECT_EQ(cpu_time(-1).count(), 0);
}

TEST(KernelText, HasTheNumberBehindTheWholeKey) {
  const std::string text = "MemAvailableX: 3\nMemAvailable: 42 kB\n";
  EXPECT_EQ(value_of(text, "MemAvailable:"), 42U);
  EXPECT_EQ(value_of(text, "Mem"), 0U);
  EXPECT_EQ(kernel_text("/proc/none"), "");
}

}  // namespace
}  // namespace subito::bench
