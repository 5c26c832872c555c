// Groups of both versions: version 1 on this machine's hierarchies, version 2 against a folder that
// looks like it, and what version 2 adds to process control against the real thing where it is
// mounted without controllers.
#include "runtime/sandbox/cgroup.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/clone_process.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

namespace fs = std::filesystem;

// A folder with the files the kernel would put there.
class FakeV2 {
 public:
  FakeV2() {
    char path[] = "/tmp/subito-cgroup-XXXXXX";
    root_ = ::mkdtemp(path);
    fs::create_directories(root_ + "/subito-node/pod-1");
    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    put("cgroup.subtree_control");
    put("subito-node/cgroup.subtree_control");
    put("subito-node/cpu.weight");
    for (const char* file :
         {"memory.max", "memory.oom.group", "memory.swap.max", "pids.max", "cpu.max", "cpu.weight",
          "memory.events", "memory.peak", "cgroup.procs"}) {
      put(std::string("subito-node/pod-1/") + file);
    }
  }
  ~FakeV2() { fs::remove_all(root_); }
  FakeV2(const FakeV2&) = delete;
  FakeV2& operator=(const FakeV2&) = delete;

  const std::string& root() const { return root_; }
  void put(const std::string& file, const std::string& text = "") {
    std::ofstream(root_ + "/" + file) << text;
  }
  void drop(const std::string& file) { fs::remove(root_ + "/" + file); }
  std::string get(const std::string& file) {
    std::stringstream text;
    text << std::ifstream(root_ + "/" + file).rdbuf();
    return text.str();
  }
  std::string pod(const std::string& file) { return get("subito-node/pod-1/" + file); }

 private:
  std::string root_;
};

constexpr SandboxId kOne{1};

TEST(CgroupV2Test, IsFoundByItsControllers) {
  FakeV2 fake;
  EXPECT_EQ(*detect_cgroup_version(fake.root()), CgroupVersion::kV2);
  fake.put("cgroup.controllers", "cpu io memory\n");  // no pids
  EXPECT_FALSE(detect_cgroup_version(fake.root()).has_value());
}

TEST(CgroupV2Test, MovesNobodyInPlaceOfAProcessOfAnotherPidNamespace) {
  FakeV2 fake;
  fake.put("cgroup.procs", "0\n");
  fs::create_directories(fake.root() + "/" + kMembersLeaf);
  const std::string leaf_procs = std::string(kMembersLeaf) + "/cgroup.procs";
  fake.put(leaf_procs);
  const auto moved = move_members_aside(fake.root());
  ASSERT_FALSE(moved.has_value());
  EXPECT_NE(moved.error().message.find("a process outside this pid namespace is in it"),
            std::string::npos)
      << moved.error().message;
  EXPECT_EQ(fake.get(leaf_procs), "");
}

TEST(CgroupV2Test, TurnsControllersOnForTheNodeAndItsPods) {
  FakeV2 fake;
  ASSERT_TRUE(CgroupTree::open(fake.root(), "node").has_value());
  EXPECT_EQ(fake.get("cgroup.subtree_control"), "+memory +pids +cpu");
  EXPECT_EQ(fake.get("subito-node/cgroup.subtree_control"), "+memory +pids +cpu");
}

TEST(CgroupV2Test, AllPodsTogetherWeighOnEachCoreWhatOneProcessDoes) {
  FakeV2 fake;
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  ASSERT_TRUE(CgroupTree::open(fake.root(), "node").has_value());
  const int cores = CPU_COUNT(&before);
  EXPECT_EQ(fake.get("subito-node/cpu.weight"), std::to_string(std::min(100 * cores, 10'000)));
}

TEST(CgroupV2Test, WritesAllLimits) {
  FakeV2 fake;
  auto tree = CgroupTree::open(fake.root(), "node");
  ASSERT_TRUE(tree.has_value());
  ASSERT_TRUE(tree->make(kOne, {64 << 20, 32, 1500}).has_value());
  EXPECT_EQ(fake.pod("memory.max"), "67108864");
  EXPECT_EQ(fake.pod("memory.oom.group"), "1");
  EXPECT_EQ(fake.pod("memory.swap.max"), "0");
  EXPECT_EQ(fake.pod("pids.max"), "32");
  EXPECT_EQ(fake.pod("cpu.max"), "150000 100000");
  EXPECT_TRUE(tree->accounts_swap(kOne));
}

TEST(CgroupV2Test, DoesWithoutSwapAccounting) {
  FakeV2 fake;
  fake.drop("subito-node/pod-1/memory.swap.max");
  auto tree = CgroupTree::open(fake.root(), "node");
  EXPECT_TRUE(tree->make(kOne, {}).has_value());
  EXPECT_FALSE(tree->accounts_swap(kOne));
}

TEST(CgroupV2Test, WritesOnlyWhatChanged) {
  FakeV2 fake;
  auto tree = CgroupTree::open(fake.root(), "node");
  ASSERT_TRUE(tree->set_limits(kOne, {64 << 20, 32, 1500}, {64 << 20, 8, 0}).has_value());
  EXPECT_EQ(fake.pod("memory.max"), "");
  EXPECT_EQ(fake.pod("pids.max"), "8");
  EXPECT_EQ(fake.pod("cpu.max"), "max 100000");
}

TEST(CgroupV2Test, SharesCpuInHundredthsOfANewGroupsAndKeepsToTheKernelsRange) {
  FakeV2 fake;
  auto tree = CgroupTree::open(fake.root(), "node");
  const std::pair<std::uint32_t, const char*> cases[] = {
      {1000, "100"}, {2000, "200"}, {16, "2"}, {0, "1"}, {4'000'000'000, "10000"}};
  for (const auto& [share, weight] : cases) {
    ASSERT_TRUE(tree->set_cpu_share(kOne, share).has_value());
    EXPECT_EQ(fake.pod("cpu.weight"), weight) << share;
  }
  fake.drop("subito-node/pod-1/cpu.weight");
  EXPECT_EQ(tree->set_cpu_share(kOne, 500).error().message,
            "write cpu.weight 50: No such file or directory");
}

TEST(CgroupV2Test, ReadsUsage) {
  FakeV2 fake;
  fake.put("subito-node/pod-1/memory.events",
           "low 0\nhigh 0\noom 4\noom_kill 3\noom_group_kill 1\n");
  fake.put("subito-node/pod-1/memory.peak", "1234567\n");
  auto tree = CgroupTree::open(fake.root(), "node");
  EXPECT_EQ(tree->usage(kOne).oom_kills, 1U) << "a group's end is one";
  fake.put("subito-node/pod-1/memory.events", "low 0\noom 4\noom_kill 3\n");
  EXPECT_EQ(tree->usage(kOne).oom_kills, 3U) << "before Linux 5.17";
  EXPECT_EQ(tree->usage(kOne).memory_bytes_peak, 1'234'567U);
}

TEST(CgroupV2Test, RenewsAGroupAndCountsItsPeakFromThereOn) {
  FakeV2 fake;
  fake.put("subito-node/pod-1/memory.peak", "5000\n");
  auto tree = CgroupTree::open(fake.root(), "node");
  UniqueFd peak;
  ASSERT_TRUE(tree->renew(kOne, {64 << 20, 8, 1500}, true, peak).has_value());
  EXPECT_EQ(fake.pod("memory.max"), "134217728");
  EXPECT_EQ(fake.pod("pids.max"), "64");
  EXPECT_EQ(fake.pod("cpu.max"), "max 100000");
  EXPECT_EQ(fake.pod("cpu.weight"), "100");
  EXPECT_EQ(fake.pod("memory.peak"), "0000\n") << "it was written to";
  // Only this descriptor tells the new peak.
  fake.put("subito-node/pod-1/memory.peak", "777\n");
  fake.drop("subito-node/pod-1/memory.peak");
  EXPECT_EQ(tree->usage(kOne, peak).memory_bytes_peak, 777U);
}

TEST(CgroupV2Test, DoesNotRenewAGroupThatHoldsMemoryOrWhosePeakStays) {
  FakeV2 fake;
  auto tree = CgroupTree::open(fake.root(), "node");
  UniqueFd peak;
  fake.put("subito-node/pod-1/memory.peak", "9999999999999\n");  // 999999999999 once it is "reset"
  EXPECT_EQ(tree->renew(kOne, {}, false, peak).error().code, ErrorCode::kResourceExhausted);
  fake.drop("subito-node/pod-1/memory.peak");
  EXPECT_FALSE(tree->renew(kOne, {}, false, peak).has_value());
  fake.put("subito-node/pod-1/memory.peak", "0\n");
  EXPECT_TRUE(tree->renew(kOne, {}, false, peak).has_value());
  fake.put("subito-node/pod-1/cgroup.procs", "4711\n");
  EXPECT_EQ(tree->renew(kOne, {}, false, peak).error().code, ErrorCode::kFailedPrecondition);
}

TEST(CgroupV2Test, MissingFileIsNamed) {
  FakeV2 fake;
  fake.drop("subito-node/pod-1/pids.max");
  auto tree = CgroupTree::open(fake.root(), "node");
  EXPECT_EQ(tree->make(kOne, {}).error().message, "write pids.max 64: No such file or directory");
}

TEST(CgroupTest, NodeIdCannotLeaveItsPlace) {
  for (const char* id : {"", "../x", "A", "a/b", "a b"}) EXPECT_FALSE(valid_node_id(id)) << id;
  EXPECT_FALSE(valid_node_id(std::string(41, 'a')));
  EXPECT_TRUE(valid_node_id("node-1"));
  EXPECT_FALSE(sweep_node("/sys/fs/cgroup", "../x", std::chrono::seconds(1)).has_value());
}

TEST(CgroupTest, SweepOfNothingIsNothing) {
  const auto swept = sweep_node("/sys/fs/cgroup", "never-was", std::chrono::seconds(1));
  ASSERT_TRUE(swept.has_value());
  EXPECT_EQ(swept->cgroups_removed, 0U);
}

TEST(CgroupTest, ValueOfKeyTakesWholeKeysOnly) {
  EXPECT_EQ(value_of_key("oom_kill_disable 7\noom_kill 2\n", "oom_kill"), 2U);
  EXPECT_EQ(value_of_key("", "oom_kill"), 0U);
  EXPECT_EQ(value_of_key("oom_kill\n", "oom_kill"), 0U);
}

// The real machine, whichever version it has.
TEST(CgroupTest, LimitsCanBeMadeChangedAndRemovedHere) {
  const std::string node = Harness::unique_node_id();
  auto tree = CgroupTree::open("/sys/fs/cgroup", node);
  ASSERT_TRUE(tree.has_value()) << tree.error().message;
  ASSERT_TRUE(tree->make(kOne, {64 << 20, 32, 1000}).has_value());
  for (const std::uint64_t bytes : {128 << 20, 32 << 20}) {
    const SandboxLimits from{bytes == 128 << 20 ? 64ULL << 20 : 128ULL << 20, 32, 1000};
    EXPECT_TRUE(tree->set_limits(kOne, from, {bytes, 16, 0}).has_value());
  }
  EXPECT_EQ(tree->usage(kOne).oom_kills, 0U);
  EXPECT_TRUE(tree->remove(kOne).has_value());
  EXPECT_TRUE(tree->remove_root().has_value());
  EXPECT_EQ(count_cgroups(node), 0);
}

// A process that joins, touches memory and ends.
std::uint64_t peak_with(const CgroupTree& tree, const std::string& node, std::size_t bytes,
                        const UniqueFd& peak) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (tree.version() == CgroupVersion::kV2) {
      std::ofstream("/sys/fs/cgroup/subito-" + node + "/pod-1/cgroup.procs") << 0 << std::flush;
    } else if (tree.join_self(kOne) != 0) {
      ::_exit(1);
    }
    void* const memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, bytes);
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return tree.usage(kOne, peak).memory_bytes_peak;
}

TEST(CgroupTest, ARenewedGroupCountsTheNextPeakAloneHere) {
  const std::string node = Harness::unique_node_id();
  auto tree = CgroupTree::open("/sys/fs/cgroup", node);
  ASSERT_TRUE(tree.has_value()) << tree.error().message;
  const SandboxLimits limits{64 << 20, 32, 0};
  ASSERT_TRUE(tree->make(kOne, limits).has_value());
  ASSERT_TRUE(tree->set_cpu_share(kOne, 500).has_value());
  UniqueFd peak;
  EXPECT_GE(peak_with(*tree, node, 16 << 20, peak), 16U << 20);
  EXPECT_EQ(tree->renew(kOne, limits, true, peak).has_value(), keeps_cgroups());
  if (keeps_cgroups()) {
    EXPECT_EQ(cpu_share_in_kernel(node, kOne),
              tree->version() == CgroupVersion::kV1 ? "1024" : "100");
    const std::uint64_t next = peak_with(*tree, node, 2 << 20, peak);
    EXPECT_GE(next, 2U << 20);
    EXPECT_LT(next, 8U << 20);
  }
  EXPECT_TRUE(tree->remove(kOne).has_value());
  EXPECT_TRUE(tree->remove_root().has_value());
}

TEST(CgroupTest, AShareOfTheCpuIsWhatTheKernelSaysItIsHere) {
  const std::string node = Harness::unique_node_id();
  auto tree = CgroupTree::open("/sys/fs/cgroup", node);
  ASSERT_TRUE(tree.has_value()) << tree.error().message;
  ASSERT_TRUE(tree->make(kOne, {}).has_value());
  const bool v1 = tree->version() == CgroupVersion::kV1;
  struct Case {
    std::uint32_t share;
    const char* shares;  // version 1
    const char* weight;  // version 2
  };
  EXPECT_EQ(cpu_share_in_kernel(node, kOne), v1 ? "1024" : "100") << "of a new group";
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  EXPECT_EQ(cpu_share_of_all_in_kernel(node), std::to_string(cores * (v1 ? 1024 : 100)));
  for (const Case& now :
       {Case{1000, "1024", "100"}, Case{250, "256", "25"}, Case{3000, "3072", "300"},
        Case{1, "2", "1"}, Case{1'000'000, "262144", "10000"}}) {
    ASSERT_TRUE(tree->set_cpu_share(kOne, now.share).has_value()) << now.share;
    EXPECT_EQ(cpu_share_in_kernel(node, kOne), v1 ? now.shares : now.weight) << now.share;
  }
  EXPECT_TRUE(tree->remove(kOne).has_value());
  EXPECT_TRUE(tree->remove_root().has_value());
}

TEST(CgroupTest, ALauncherThatEndsLateLeavesTheNextOnesRootAlone) {
  const std::string node = Harness::unique_node_id();
  auto late = CgroupTree::open("/sys/fs/cgroup", node);
  ASSERT_TRUE(late.has_value()) << late.error().message;
  ASSERT_TRUE(sweep_node("/sys/fs/cgroup", node, kHarnessDeadline).has_value());
  auto next = CgroupTree::open("/sys/fs/cgroup", node);
  ASSERT_TRUE(next.has_value());
  const int cgroups = count_cgroups(node);
  EXPECT_TRUE(late->remove_root().has_value());
  EXPECT_EQ(count_cgroups(node), cgroups);
  EXPECT_TRUE(next->remove_root().has_value());
  EXPECT_EQ(count_cgroups(node), 0);
}

TEST(CgroupTest, ARootThatWasRemovedIsMadeAgain) {
  const std::string node = Harness::unique_node_id();
  auto tree = CgroupTree::open("/sys/fs/cgroup", node);
  ASSERT_TRUE(tree.has_value()) << tree.error().message;
  ASSERT_TRUE(sweep_node("/sys/fs/cgroup", node, kHarnessDeadline).has_value());
  EXPECT_FALSE(tree->make(kOne, {}).has_value());
  EXPECT_TRUE(tree->restore_root().value_or(false));
  EXPECT_FALSE(tree->restore_root().value_or(true)) << "it is there";
  EXPECT_TRUE(tree->make(kOne, {}).has_value());
  EXPECT_TRUE(tree->remove(kOne).has_value());
  EXPECT_TRUE(tree->remove_root().has_value());
  EXPECT_EQ(count_cgroups(node), 0);
}

// Version 2 as mounted: at the root, or beside version 1 without controllers.
std::string mounted_v2() {
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (fs::exists(std::string(path) + "/cgroup.controllers")) return path;
  }
  return "";
}

TEST(CgroupV2Test, ChildIsBornInItsGroupAndTheSweepKillsIt) {
  const std::string mount = mounted_v2();
  if (mount.empty()) GTEST_SKIP() << "no cgroup version 2 is mounted on this machine";
  const std::string node = Harness::unique_node_id();
  const std::string group = mount + "/subito-" + node + "/pod-1";
  ASSERT_TRUE(fs::create_directories(group));
  const UniqueFd directory(::open(group.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  const ClonedProcess child = clone_process(0, directory.get());
  if (child.pid == 0) {
    for (;;) ::pause();
  }
  ASSERT_GT(child.pid, 0) << child.os_errno;
  EXPECT_EQ(*read_at(directory.get(), "cgroup.procs"), std::to_string(child.pid) + "\n");
  // Reaped from beside, as the launcher's death would have init do it: a zombie keeps no group.
  const auto swept = sweep_node("/sys/fs/cgroup", node, kHarnessDeadline);
  ASSERT_TRUE(swept.has_value()) << swept.error().message;
  EXPECT_GE(swept->processes_killed, 1U);
  int status = 0;
  EXPECT_EQ(::waitpid(child.pid, &status, 0), child.pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(group));
}

}  // namespace
}  // namespace subito::sandbox::testing
