#include "runtime/base/cpu_turns.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace subito {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Turn kUsual = microseconds(1400);

// What a process of its own ends with, so that the test's own stays as it is.
int in_child(int (*steps)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(steps());
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool kernel_has_turns() {
  return own_turn() != Turn::zero();
}

int nice_now() {
  return ::getpriority(PRIO_PROCESS, 0);
}

TEST(TurnOfShare, AFullShareHasTheKernelsOwn) {
  EXPECT_EQ(turn_of_share(1000, kUsual), Turn::zero());
  EXPECT_EQ(turn_of_share(500'000, kUsual), Turn::zero());
}

TEST(TurnOfShare, TheSmallerTheShareTheLongerUpToAMost) {
  EXPECT_EQ(turn_of_share(500, kUsual), 2 * kUsual);
  EXPECT_EQ(turn_of_share(250, kUsual), 4 * kUsual);
  EXPECT_EQ(turn_of_share(125, kUsual), 8 * kUsual);
  EXPECT_EQ(turn_of_share(31, kUsual), 8 * kUsual);
  EXPECT_EQ(turn_of_share(0, kUsual), 8 * kUsual);
  EXPECT_GT(turn_of_share(999, kUsual), kUsual) << "whoever has a full share goes before it";
}

TEST(Turns, AreSetForAllThreadsOfAProcessAndTakenBack) {
  if (!kernel_has_turns()) GTEST_SKIP() << "the kernel knows none (before Linux 6.12)";
  EXPECT_EQ(in_child([] {
              const Turn usual = own_turn();
              if (!set_turn(::getpid(), milliseconds(10)) || own_turn() != milliseconds(10))
                return 1;
              if (!set_turn(::getpid(), Turn::zero()) || own_turn() != usual) return 2;
              return 0;
            }),
            0);
}

TEST(Turns, OfAProcessThatIsGoneCannotBeSet) {
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(gone, nullptr, 0), gone);
  const Status status = set_turn(gone, milliseconds(10));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "list threads in /proc/" + std::to_string(gone) + "/task: No such file or directory");
}

TEST(ServeOthers, GoesBeforeOthersAndWhatItMakesDoesNot) {
  if (::geteuid() != 0 || nice_now() != 0) GTEST_SKIP() << "it needs to change its nice value";
  EXPECT_EQ(in_child([] {
              const Turn usual = own_turn();
              if (!serve_others() || nice_now() != kNiceOfServers) return 1;
              if (kernel_has_turns() && own_turn() != kTurnOfServers) return 2;
              const pid_t made = ::fork();
              if (made == 0) ::_exit(nice_now() == 0 && own_turn() == usual ? 0 : 1);
              int status = -1;
              ::waitpid(made, &status, 0);
              return status == 0 ? 0 : 3;
            }),
            0);
}

TEST(ServeOthers, LeavesTheNiceValueThatItMayNotChange) {
  if (::geteuid() != 0 || nice_now() != 0) GTEST_SKIP() << "it needs to become somebody else";
  EXPECT_EQ(in_child([] {
              if (::setuid(65534) != 0) return 1;
              if (!serve_others()) return 2;
              return nice_now() == 0 ? 0 : 3;
            }),
            0);
}

TEST(ServeOthers, LeavesTheNiceValueOfWhoWasMadeToWait) {
  if (nice_now() > 7) GTEST_SKIP() << "there is no room above";
  EXPECT_EQ(in_child([] {
              if (::setpriority(PRIO_PROCESS, 0, 12) != 0) return 1;
              return serve_others() && nice_now() == 12 ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace subito
