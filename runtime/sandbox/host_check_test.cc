#include "runtime/sandbox/host_check.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace subito::sandbox {
namespace {

HostProbes good_host() {
  HostProbes probes;
  probes.root = true;
  probes.kernel_major = 6;
  probes.kernel_minor = 1;
  probes.user_namespaces_max = 10'000;
  probes.unprivileged_user_namespaces = true;
  probes.cgroup_version = CgroupVersion::kV2;
  probes.swap_accounting = true;
  return probes;
}

HostFinding find(const HostProbes& probes, const std::string& name) {
  const auto findings = assess_host(probes);
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const HostFinding& finding) { return finding.name == name; });
  EXPECT_NE(found, findings.end()) << name;
  return found == findings.end() ? HostFinding{} : *found;
}

TEST(HostCheckTest, NothingIsMissingOnAGoodHost) {
  for (const HostFinding& finding : assess_host(good_host())) {
    EXPECT_NE(finding.state, HostState::kMissing) << finding.name;
    if (finding.name == "rootless") continue;  // always a warning
    EXPECT_EQ(finding.state, HostState::kOk) << finding.name;
  }
}

TEST(HostCheckTest, EveryFaultHasARemedy) {
  HostProbes probes;
  std::fill(std::begin(probes.namespace_errno), std::end(probes.namespace_errno), EPERM);
  probes.seccomp_errno = ENOSYS;
  probes.pidfd_errno = ENOSYS;
  probes.proc_mount_errno = EPERM;
  probes.cgroup_error = "find cgroups: none";
  int missing = 0;
  for (const HostFinding& finding : assess_host(probes)) {
    if (finding.state != HostState::kMissing) continue;
    ++missing;
    EXPECT_FALSE(finding.remedy.empty()) << finding.name;
  }
  EXPECT_EQ(missing, 2 + 7 + 1 + 1 + 2);
}

TEST(HostCheckTest, CgroupsThatCannotBeMadeAreMissing) {
  HostProbes probes = good_host();
  probes.cgroup_error = "write /sys/fs/cgroup/cgroup.subtree_control: Read-only file system";
  EXPECT_EQ(find(probes, "cgroups").state, HostState::kMissing);
  EXPECT_EQ(find(probes, "cgroups").detail, probes.cgroup_error);
  probes = good_host();
  probes.cgroup_members_move = true;
  EXPECT_EQ(find(probes, "cgroups").state, HostState::kWarn);
}

// A folder that is no hierarchy where groups can be made.
TEST(HostCheckTest, ProbeKeepsTheReasonWhyNoGroupCouldBeMade) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root tries to make groups";
  char path[] = "/tmp/subito-doctor-XXXXXX";
  const std::string root = ::mkdtemp(path);
  const std::string controllers = root + "/cgroup.controllers";
  const UniqueFd file(::open(controllers.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(::write(file.get(), "cpu memory pids\n", 16), 16);
  EXPECT_EQ(probe_host(root).cgroup_error,
            "write " + root + "/cgroup.subtree_control: No such file or directory");
  ::unlink(controllers.c_str());
  ::rmdir(root.c_str());
}

TEST(HostCheckTest, KernelIsComparedAsNumbers) {
  HostProbes probes = good_host();
  probes.kernel_major = 5;
  probes.kernel_minor = 8;
  EXPECT_EQ(find(probes, "kernel").state, HostState::kMissing);
  probes.kernel_minor = 10;
  EXPECT_EQ(find(probes, "kernel").state, HostState::kOk);
}

TEST(HostCheckTest, DearJoinsOfVersionOneAreNamedWithTheirCost) {
  HostProbes probes = good_host();
  probes.cgroup_version = CgroupVersion::kV1;
  probes.cgroup_join_us = 9'800;
  const HostFinding dear = find(probes, "cgroup joins");
  EXPECT_EQ(dear.state, HostState::kWarn);
  EXPECT_EQ(dear.detail, "9800 us after rest, favordynmods off");
  probes.cgroup_join_us = 240;
  EXPECT_EQ(find(probes, "cgroup joins").state, HostState::kOk);
}

TEST(HostCheckTest, SwapWithoutAccountingIsAWarning) {
  HostProbes probes = good_host();
  probes.swap_accounting = false;
  EXPECT_EQ(find(probes, "swap accounting").state, HostState::kOk);
  probes.has_swap = true;
  EXPECT_EQ(find(probes, "swap accounting").state, HostState::kWarn);
}

TEST(HostCheckTest, ProbingThisHostLeavesNoGroupBehind) {
  const HostProbes probes = probe_host();
  EXPECT_GE(probes.kernel_major, 5);
  const std::string left = "/sys/fs/cgroup/memory/subito-doctor-" + std::to_string(::getpid());
  EXPECT_NE(::access(left.c_str(), F_OK), 0);
  if (probes.root && probes.cgroup_version == CgroupVersion::kV1) {
    EXPECT_TRUE(probes.cgroup_join_us.has_value());
  }
}

}  // namespace
}  // namespace subito::sandbox
