// What is left when the node or the launcher is killed with -9: nothing, or what a sweep takes
// away.
#include <fcntl.h>

#include <csignal>

#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

struct Started {
  pid_t launcher = -1;
  pid_t pods[3] = {-1, -1, -1};
};

// One pod that runs, one that waits in the pool, one that spins.
Started start_three(Harness& harness) {
  harness.set_artefact(SUBITO_ESCAPE_POD_PATH);
  Started started;
  started.launcher = harness.client().launcher_pid();
  const char* attempts[] = {"stay", nullptr, "spin"};
  for (int i = 0; i < 3; ++i) {
    const SandboxId id = harness.create();
    if (attempts[i] != nullptr) (void)harness.launch(id, {"escape", attempts[i]});
    started.pods[i] = harness.await_created(id).host_pid;
  }
  return started;
}

TEST(OrphanTest, KilledNodeLeavesNothing) {
  const LauncherConfig config = test_config();
  int told[2];
  ASSERT_EQ(::pipe2(told, O_CLOEXEC), 0);
  const pid_t node = ::fork();
  if (node == 0) {
    Harness harness(config);
    const Started started = start_three(harness);
    [[maybe_unused]] const ssize_t size = ::write(told[1], &started, sizeof started);
    for (;;) ::pause();
  }
  Started started;
  ASSERT_EQ(::read(told[0], &started, sizeof started), static_cast<ssize_t>(sizeof started));
  const UniqueFd launcher = open_pidfd(started.launcher);
  const UniqueFd pods[] = {open_pidfd(started.pods[0]), open_pidfd(started.pods[1]),
                           open_pidfd(started.pods[2])};
  EXPECT_GT(count_cgroups(config.node_id), 3);
  ASSERT_EQ(::kill(node, SIGKILL), 0);
  ::waitpid(node, nullptr, 0);
  for (const UniqueFd& pod : pods) EXPECT_TRUE(ends_within(pod, kHarnessDeadline));
  EXPECT_TRUE(ends_within(launcher, kHarnessDeadline));
  EXPECT_EQ(count_cgroups(config.node_id), 0);
  EXPECT_EQ(count_processes_of(config.uid_base, config.sandboxes_max), 0);
  ::close(told[0]);
  ::close(told[1]);
}

TEST(OrphanTest, KilledLauncherTakesItsPodsAlongAndTheSweepTheRest) {
  const LauncherConfig config = test_config();
  Harness harness(config);
  const Started started = start_three(harness);
  const UniqueFd pods[] = {open_pidfd(started.pods[0]), open_pidfd(started.pods[1]),
                           open_pidfd(started.pods[2])};
  ASSERT_EQ(::kill(started.launcher, SIGKILL), 0);
  for (const UniqueFd& pod : pods) EXPECT_TRUE(ends_within(pod, kHarnessDeadline));
  EXPECT_TRUE(eventually([&] { return !harness.client().on_readable(harness).has_value(); }));
  EXPECT_GT(count_cgroups(config.node_id), 3);
  const auto swept = sweep_node("/sys/fs/cgroup", config.node_id, kHarnessDeadline);
  ASSERT_TRUE(swept.has_value()) << swept.error().message;
  EXPECT_GT(swept->cgroups_removed, 3U);
  EXPECT_EQ(count_cgroups(config.node_id), 0);
}

TEST(OrphanTest, StoppedClientLeavesNothing) {
  const LauncherConfig config = test_config();
  Started started;
  {
    Harness harness(config);
    started = start_three(harness);
  }
  EXPECT_NE(::kill(started.launcher, 0), 0);
  EXPECT_EQ(count_cgroups(config.node_id), 0);
  EXPECT_EQ(count_processes_of(config.uid_base, config.sandboxes_max), 0);
}

TEST(OrphanTest, LauncherThatCannotStartSaysWhy) {
  LauncherConfig config = test_config();
  config.cgroup_root = "/nowhere";
  const auto client = LauncherClient::start(config);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().message.substr(0, 35), "start launcher: find cgroups: neith");
  config.launcher_path = "/nowhere";
  EXPECT_EQ(LauncherClient::start(config).error().message,
            "start launcher /nowhere: No such file or directory");
  config.node_id = "../x";
  EXPECT_EQ(LauncherClient::start(config).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace subito::sandbox::testing
