// What a dead pod leaves to those after it: a control group as good as new, or none.
#include <fcntl.h>
#include <sys/prctl.h>

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

  // One that may take over what a dead one left, and whose group it has then.
  struct Next {
    SandboxId id;
    SandboxId cgroup;
  };
  Next next() {
    const SandboxId id = harness_.create(kReuse);
    return {id, harness_.await_created(id).cgroup};
  }
  static SandboxId left_to(const Next& next, SandboxId dead) {
    return keeps_cgroups() ? dead : next.id;
  }

  // Only of those that were isolated is anything kept.
  SandboxId dead_one(const CreateRequest& request = {}) {
    const SandboxId id = harness_.create(request);
    harness_.await_created(id);
    harness_.kill_and_forget(id);
    return id;
  }

  // Folders of a group: one for each controller, the same one in version 2.
  std::string folder(const char* controller, SandboxId id) const {
    return "/sys/fs/cgroup/" + (v1_ ? std::string(controller) + "/" : "") + "subito-" +
           config_.node_id + "/pod-" + std::to_string(id.value());
  }
  std::string file(const char* controller, const char* v1, const char* v2, SandboxId id) const {
    const std::string path = folder(controller, id) + "/" + (v1_ ? v1 : v2);
    return read_at(AT_FDCWD, path.c_str()).value_or("none");
  }

  const bool v1_ = detect_cgroup_version("/sys/fs/cgroup").value() == CgroupVersion::kV1;
  LauncherConfig config_ = test_config();
  Harness harness_{config_};
};

TEST_F(SandboxReuseTest, ACgroupThatIsTakenOverIsAsNew) {
  CreateRequest small = kReuse;
  small.limits.memory_bytes_max = 64 << 20;
  small.limits.pids_max = 7;
  small.limits.cpu_millicores_max = 500;
  const SandboxId first = harness_.create(small);
  harness_.await_created(first);
  ASSERT_TRUE(harness_.client().share_cpu(first, 500).has_value());
  EXPECT_TRUE(eventually(
      [&] { return cpu_share_in_kernel(config_.node_id, first) == (v1_ ? "512" : "50"); }));
  harness_.kill_and_forget(first);
  const Next second = next();
  EXPECT_EQ(second.cgroup, left_to(second, first));
  EXPECT_EQ(file("memory", "memory.limit_in_bytes", "memory.max", second.cgroup), "134217728\n");
  EXPECT_EQ(file("pids", "pids.max", "pids.max", second.cgroup), "64\n");
  EXPECT_EQ(file("cpu", "cpu.cfs_quota_us", "cpu.max", second.cgroup),
            v1_ ? "-1\n" : "max 100000\n");
  EXPECT_EQ(cpu_share_in_kernel(config_.node_id, second.cgroup), v1_ ? "1024" : "100");
  // One with other limits has those from its begin.
  dead_one();
  small.limits.pids_max = 9;
  const SandboxId cgroup = harness_.await_created(harness_.create(small)).cgroup;
  EXPECT_EQ(file("pids", "pids.max", "pids.max", cgroup), "9\n");
}

TEST_F(SandboxReuseTest, ACgroupThatRanOutOfMemoryIsNotTakenOver) {
  CreateRequest small = kReuse;
  small.limits.memory_bytes_max = 32 << 20;
  const auto ended = harness_.run({"escape", "take-memory"}, small);
  ASSERT_EQ(ended.exited->oom_kills, 1U);
  const Next own = next();
  EXPECT_EQ(own.cgroup, own.id);
  harness_.kill_and_forget(own.id);
  const Next last = next();
  EXPECT_EQ(last.cgroup, left_to(last, own.id));
  ASSERT_TRUE(harness_.launch(last.id, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_.await_end(last.id).exited->oom_kills, 0U);
}

TEST_F(SandboxReuseTest, ACgroupThatOthersMemoryIsChargedToIsNotTakenOver) {
  dead_one({.limits = {}, .reuse = true, .leaves_cgroup = false});
  const Next own = next();
  EXPECT_EQ(own.cgroup, own.id);
}

TEST_F(SandboxReuseTest, ACgroupThatSomebodyElseIsInIsNotTakenOver) {
  const SandboxId first = harness_.create();
  harness_.await_created(first);
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  std::ofstream(folder("memory", first) + "/cgroup.procs") << stranger << std::flush;
  EXPECT_TRUE(eventually([&] {
    return file("memory", "cgroup.procs", "cgroup.procs", first)
               .find(std::to_string(stranger) + "\n") != std::string::npos;
  }));
  harness_.kill_and_forget(first);
  const Next own = next();
  EXPECT_EQ(own.cgroup, own.id);
  ::kill(stranger, SIGKILL);
  EXPECT_EQ(::waitpid(stranger, nullptr, 0), stranger);
}

TEST_F(SandboxReuseTest, ACgroupThatIsGoneIsMadeAgain) {
  const SandboxId first = dead_one();
  dead_one();  // so the first is kept by now, if any is
  if (keeps_cgroups()) {
    for (const char* controller : {"memory", "pids", "cpu"}) {
      const bool gone = ::rmdir(folder(controller, first).c_str()) == 0;
      EXPECT_EQ(gone, v1_ || std::string_view(controller) == "memory") << controller;
    }
  }
  const Next made = next();
  EXPECT_EQ(made.cgroup, left_to(made, first));
  ASSERT_TRUE(harness_.launch(made.id, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_.await_end(made.id).exited->wait_status, 0);
  ASSERT_TRUE(sweep_node("/sys/fs/cgroup", config_.node_id, kHarnessDeadline).has_value());
  EXPECT_EQ(harness_.run({"escape", "identity"}, kReuse).exited->wait_status, 0);
}

}  // namespace
}  // namespace subito::sandbox::testing
