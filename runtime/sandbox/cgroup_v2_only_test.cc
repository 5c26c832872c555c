// What can be tried only where /sys/fs/cgroup is of version 2, with controllers: in the virtual
// machine (.ci/vm_test.py); ctest does not know this test.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/clone_process.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

namespace fs = std::filesystem;

constexpr SandboxId kOne{1};

TEST(CgroupV2OnlyTest, ProcessesInTheMountRootAreMovedAside) {
  const std::string mount = "/sys/fs/cgroup/container-" + std::to_string(::getpid());
  ASSERT_EQ(write_at(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control", kControllersOn), 0);
  ASSERT_TRUE(fs::create_directory(mount));
  const UniqueFd directory(::open(mount.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  const ClonedProcess child = clone_process(0, directory.get());
  if (child.pid == 0) {
    for (;;) ::pause();
  }
  EXPECT_EQ(CgroupTree::open(mount, "node", CgroupTree::Members::kLeave).error().os_errno, EBUSY);
  auto tree = CgroupTree::open(mount, "node");
  ASSERT_TRUE(tree.has_value()) << tree.error().message;
  EXPECT_TRUE(tree->make(kOne, {}).has_value());
  const std::string leaf = mount + "/" + kMembersLeaf;
  EXPECT_EQ(*read_at(AT_FDCWD, (leaf + "/cgroup.procs").c_str()), std::to_string(child.pid) + "\n");
  EXPECT_TRUE(tree->remove(kOne).has_value());
  EXPECT_TRUE(tree->remove_root().has_value());
  ::kill(child.pid, SIGKILL);
  ::waitpid(child.pid, nullptr, 0);
  EXPECT_EQ(::rmdir(leaf.c_str()), 0);
  EXPECT_EQ(::rmdir(mount.c_str()), 0);
}

}  // namespace
}  // namespace subito::sandbox::testing
