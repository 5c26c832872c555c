// What a dead pod leaves to those after it: a control group as good as new, or none.
#include <fcntl.h>

#include <csignal>
#include <fstream>

#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

constexpr CreateRequest kReuse = {.limits = {}, .reuse = true};

class SandboxReuseTest : public ::testing::Test {
 protected:
  SandboxReuseTest() { harness_.set_artefact(SUBITO_ESCAPE_POD_PATH); }

  // Only of those that were isolated is anything kept.
  void kept_of_one() {
    const SandboxId id = harness_.create();
    harness_.await_created(id);
    harness_.kill_and_forget(id);
  }

  LauncherConfig config_ = test_config();
  Harness harness_{config_};
};

bool is_v1() {
  return detect_cgroup_version("/sys/fs/cgroup").value() == CgroupVersion::kV1;
}
constexpr char kNeedsV1[] = "version 2 does so since Linux 6.12";

TEST_F(SandboxReuseTest, ACgroupThatIsTakenOverIsAsNew) {
  if (!is_v1()) GTEST_SKIP() << kNeedsV1;
  CreateRequest small = kReuse;
  small.limits.memory_bytes_max = 64 << 20;
  small.limits.pids_max = 7;
  small.limits.cpu_millicores_max = 500;
  const SandboxId first = harness_.create(small);
  harness_.await_created(first);
  ASSERT_TRUE(harness_.client().share_cpu(first, 500).has_value());
  EXPECT_TRUE(eventually([&] { return cpu_share_in_kernel(config_.node_id, first) == "512"; }));
  harness_.kill_and_forget(first);
  const auto file = [&](const std::string& path) {
    return read_at(AT_FDCWD, ("/sys/fs/cgroup/" + path).c_str()).value_or("none");
  };
  const std::string group = "/subito-" + config_.node_id + "/pod-" + std::to_string(first.value());
  EXPECT_EQ(harness_.await_created(harness_.create(kReuse)).cgroup, first);
  EXPECT_EQ(file("memory" + group + "/memory.limit_in_bytes"), "134217728\n");
  EXPECT_EQ(file("pids" + group + "/pids.max"), "64\n");
  EXPECT_EQ(file("cpu" + group + "/cpu.cfs_quota_us"), "-1\n");
  EXPECT_EQ(file("cpu" + group + "/cpu.shares"), "1024\n");
  // One with other limits has those from its begin.
  kept_of_one();
  small.limits.pids_max = 9;
  const SandboxId third = harness_.create(small);
  const std::string other = "/subito-" + config_.node_id + "/pod-" +
                            std::to_string(harness_.await_created(third).cgroup.value()) +
                            "/pids.max";
  EXPECT_EQ(file("pids" + other), "9\n");
}

TEST_F(SandboxReuseTest, ACgroupThatRanOutOfMemoryIsNotTakenOver) {
  CreateRequest small = kReuse;
  small.limits.memory_bytes_max = 32 << 20;
  const auto ended = harness_.run({"escape", "take-memory"}, small);
  ASSERT_EQ(ended.exited->oom_kills, 1U);
  const SandboxId next = harness_.create(kReuse);
  EXPECT_EQ(harness_.await_created(next).cgroup, next);
  harness_.kill_and_forget(next);
  const SandboxId last = harness_.create(kReuse);
  EXPECT_EQ(harness_.await_created(last).cgroup, next);
  ASSERT_TRUE(harness_.launch(last, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_.await_end(last).exited->oom_kills, 0U);
}

TEST_F(SandboxReuseTest, ACgroupThatOthersMemoryIsChargedToIsNotTakenOver) {
  const SandboxId first = harness_.create({.limits = {}, .reuse = true, .leaves_cgroup = false});
  harness_.await_created(first);
  harness_.kill_and_forget(first);
  const SandboxId next = harness_.create(kReuse);
  EXPECT_EQ(harness_.await_created(next).cgroup, next);
}

TEST_F(SandboxReuseTest, ACgroupThatSomebodyElseIsInIsNotTakenOver) {
  if (!is_v1()) GTEST_SKIP() << kNeedsV1;
  const SandboxId first = harness_.create();
  harness_.await_created(first);
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    for (;;) ::pause();
  }
  const std::string group = config_.node_id + "/pod-" + std::to_string(first.value());
  std::ofstream("/sys/fs/cgroup/memory/subito-" + group + "/tasks") << stranger << std::endl;
  harness_.kill_and_forget(first);
  const SandboxId next = harness_.create(kReuse);
  EXPECT_EQ(harness_.await_created(next).cgroup, next);
  ::kill(stranger, SIGKILL);
  EXPECT_EQ(::waitpid(stranger, nullptr, 0), stranger);
}

TEST_F(SandboxReuseTest, ACgroupThatIsGoneIsMadeAgain) {
  if (!is_v1()) GTEST_SKIP() << kNeedsV1;
  kept_of_one();
  kept_of_one();  // so the first is kept by now
  for (const char* hierarchy : {"memory", "pids", "cpu"}) {
    const std::string group =
        std::string("/sys/fs/cgroup/") + hierarchy + "/subito-" + config_.node_id + "/pod-1";
    EXPECT_EQ(::rmdir(group.c_str()), 0) << group;
  }
  const SandboxId next = harness_.create(kReuse);
  EXPECT_EQ(harness_.await_created(next).cgroup, SandboxId(1));
  ASSERT_TRUE(harness_.launch(next, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_.await_end(next).exited->wait_status, 0);
  ASSERT_TRUE(sweep_node("/sys/fs/cgroup", config_.node_id, kHarnessDeadline).has_value());
  EXPECT_EQ(harness_.run({"escape", "identity"}, kReuse).exited->wait_status, 0);
}

}  // namespace
}  // namespace subito::sandbox::testing
