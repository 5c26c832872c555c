#include "runtime/sandbox/pod_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

namespace subito::sandbox {
namespace {

struct DeviceNode {
  const char* name;
  unsigned minor;  // of major 1, "mem"
};
constexpr DeviceNode kDevices[] = {
    {"dev/null", 3}, {"dev/zero", 5}, {"dev/full", 7}, {"dev/random", 8}, {"dev/urandom", 9}};

Result<UniqueFd> open_own_mount_namespace() {
  UniqueFd fd(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open /proc/self/ns/mnt");
  return fd;
}

Status fill_root() {
  for (const char* directory : {"dev", "proc", "tmp"}) {
    if (::mkdir(directory, 0755) != 0) return errno_error("make directory of pod root");
  }
  for (const DeviceNode& device : kDevices) {
    const mode_t mode = S_IFCHR | 0666;
    if (::mknod(device.name, mode, ::makedev(1, device.minor)) != 0 ||
        ::chmod(device.name, 0666) != 0) {
      return errno_error(std::string("make /") + device.name);
    }
  }
  return ok();
}

Status build_root() {
  // /tmp serves only as a place to mount on, in a mount namespace that nobody else sees.
  constexpr const char* kPlace = "/tmp";
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return errno_error("make mounts private");
  }
  if (::mount("pod", kPlace, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k,nr_inodes=16") !=
      0) {
    return errno_error("mount pod root");
  }
  if (::chdir(kPlace) != 0) return errno_error("enter pod root");
  RETURN_IF_ERROR(fill_root());
  // pivot_root(2), "pivot_root(".", ".")": the old root lands on top of the new one; off with it.
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return errno_error("pivot_root");
  if (::umount2(".", MNT_DETACH) != 0) return errno_error("unmount the host's root");
  if (::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
              nullptr) != 0) {
    return errno_error("make pod root read-only");
  }
  return ok();
}

}  // namespace

Result<UniqueFd> prepare_pod_root() {
  ASSIGN_OR_RETURN(const UniqueFd host, open_own_mount_namespace());
  // From here on a failure leaves us inside; the launcher ends then.
  if (::unshare(CLONE_NEWNS) != 0) return errno_error("make mount namespace");
  // /proc is gone once we pivot: open the new namespace's descriptor while it is there.
  ASSIGN_OR_RETURN(UniqueFd prepared, open_own_mount_namespace());
  RETURN_IF_ERROR(build_root());
  if (::setns(host.get(), CLONE_NEWNS) != 0) return errno_error("return to the host's mounts");
  return prepared;
}

}  // namespace subito::sandbox
