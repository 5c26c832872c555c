// Who waits for whom when the cores are busy, as the kernel has it: the node's loop and the
// launcher go before pods, and a pod of a function with a full share before those of a crowd.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <future>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

int nice_of(pid_t pid) {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid));
}

// Nanoseconds that it may run at a time; 0: the kernel knows no such thing (before Linux 6.12).
std::uint64_t turn_of(pid_t thread) {
  struct {
    std::uint32_t size = 48, policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0, deadline = 0, period = 0;
  } attributes;
  const long done = ::syscall(SYS_sched_getattr, thread, &attributes, sizeof attributes, 0);
  return done == 0 ? attributes.runtime : 0;
}

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
    threads.push_back(std::stoi(entry.path().filename()));
  return threads;
}

class PriorityTest : public NodeTest {
 protected:
  std::vector<pid_t> pods_of(const std::string& function) const {
    std::vector<pid_t> pods;
    for (const Json& pod : node.pod_list()) {
      if (pod.at("function") == function) pods.push_back(pod.at("hostPid"));
    }
    return pods;
  }
  std::vector<std::future<int>> call(const std::string& function, int times) const {
    std::vector<std::future<int>> calls;
    for (int i = 0; i < times; ++i) {
      calls.push_back(std::async(std::launch::async, [this, function] {
        return node.client().get("/function/" + function + "?sleep_ms=1500").status;
      }));
    }
    return calls;
  }
};

TEST_F(PriorityTest, TheLoopAndTheLauncherGoBeforePodsAndNobodyElseOfTheNode) {
  if (nice_of(0) != 0) GTEST_SKIP() << "nice values of this test are not those of a service";
  node.deploy("echo", "echo", "scaling: {min: 1}");
  ASSERT_TRUE(eventually([&] { return pods_of("echo").size() == 1; }));
  const pid_t pod = pods_of("echo")[0];
  EXPECT_LT(nice_of(node.pid()), 0);
  EXPECT_LT(nice_of(node.launcher()), 0);
  EXPECT_EQ(nice_of(pod), 0);
  for (const pid_t thread : threads_of(node.pid())) {
    if (thread != node.pid()) {
      EXPECT_EQ(nice_of(thread), 0);
    }
  }
  if (turn_of(0) == 0) return;
  EXPECT_LT(turn_of(node.pid()), turn_of(pod));
  EXPECT_LT(turn_of(node.launcher()), turn_of(pod));
  EXPECT_EQ(turn_of(pod), turn_of(0));
}

TEST_F(PriorityTest, APodOfACrowdRunsForLongerAtATimeUntilItIsAlone) {
  if (turn_of(0) == 0) GTEST_SKIP() << "the kernel knows no turns (before Linux 6.12)";
  node.deploy("crowd", "echo", "concurrency: 2\nscaling: {min: 4, idle: 1m, policy: fixed}");
  ASSERT_TRUE(eventually([&] { return pods_of("crowd").size() == 4; }));
  const std::vector<pid_t> pods = pods_of("crowd");
  const auto with_turn = [&](std::uint64_t least, std::uint64_t most) {
    std::size_t count = 0;
    for (const pid_t pod : pods) {
      bool all = true;
      for (const pid_t thread : threads_of(pod))
        all = all && turn_of(thread) >= least && turn_of(thread) <= most;
      count += all ? 1 : 0;
    }
    return count;
  };
  const std::uint64_t usual = turn_of(0);
  EXPECT_EQ(with_turn(usual, usual), 4U);
  bool seen = false;  // while they all run, for a moment only where the machine is busy
  for (int crowds = 0; crowds < 5 && !seen; ++crowds) {
    auto crowd = call("crowd", 8);
    // 8 where a busy machine lets calls wait so long that they count as a crowd.
    seen = eventually([&] { return with_turn(4 * usual, 8 * usual) == 4; }, milliseconds(1'500));
    for (auto& answer : crowd) EXPECT_EQ(answer.get(), 200);
  }
  EXPECT_TRUE(seen);
  auto alone = call("crowd", 1);
  EXPECT_TRUE(eventually([&] { return with_turn(usual, usual) >= 1; }));
  EXPECT_EQ(alone[0].get(), 200);
}

}  // namespace
}  // namespace subito::e2e
