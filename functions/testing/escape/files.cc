// Reaching files: the host's, other pods', and places of its own that it may not write.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <memory>

#include "functions/testing/escape/attempt.h"

namespace escape {
namespace {

Outcome read_file(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return denied(errno);
  char part[1024];
  return judge(::read(fd, part, sizeof part), "read");
}

Outcome write_file(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  return judge(fd < 0 ? fd : ::write(fd, "x", 1), "written");
}

Outcome list(const char* path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path), &::closedir);
  if (!directory) return denied(errno);
  std::string names;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.') names.append(entry->d_name).append(" ");
  }
  return {names};
}

// What "../.." from the root, and from a kept descriptor of it, leads to.
Outcome climb(const char*) {
  const int root = ::open("/", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (root < 0) return denied(errno);
  for (const char* path : {"../../../../etc/passwd", "../../../../root"}) {
    if (::openat(root, path, O_RDONLY | O_CLOEXEC) >= 0) return allowed(path);
  }
  return denied(errno);
}

Outcome change_root(const char*) {
  return judge(::chroot("/tmp"), "chroot");
}
Outcome pivot(const char*) {
  return judge(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
}

Outcome make_device(const char*) {
  // 8:0 is the first disk; 1:1 is all physical memory.
  const int disk = ::mknod("/tmp/disk", S_IFBLK | 0600, ::makedev(8, 0));
  if (disk < 0 && ::mknod("/tmp/mem", S_IFCHR | 0600, ::makedev(1, 1)) < 0) return denied(errno);
  return allowed("device");
}

Outcome mount_tmpfs(const char*) {
  return judge(::mount("x", "/tmp", "tmpfs", 0, nullptr), "mounted");
}
Outcome bind_root(const char*) {
  return judge(::mount("/", "/tmp", nullptr, MS_BIND | MS_REC, nullptr), "mounted");
}
Outcome remount_root(const char*) {
  return judge(::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr), "remounted");
}
Outcome open_tree(const char*) {
  return judge(::syscall(SYS_open_tree, AT_FDCWD, "/", 1), "detached mount");
}
Outcome unmount(const char*) {
  return judge(::umount2("/proc", MNT_DETACH), "unmounted");
}

Outcome open_by_handle(const char*) {
  alignas(file_handle) char room[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* handle = reinterpret_cast<file_handle*>(room);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (::name_to_handle_at(AT_FDCWD, "/", handle, &mount, 0) < 0) return denied(errno);
  const int directory = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return judge(::open_by_handle_at(directory, handle, O_RDONLY), "opened by handle");
}

// File by file, so that the limit of the file system ends it and not that of one file.
Outcome fill_tmp(const char*) {
  static char block[1 << 20];
  for (int file = 0; file < 256; ++file) {
    const std::string path = "/tmp/fill-" + std::to_string(file);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::write(fd, block, sizeof block) < 0) return denied(errno);
    ::close(fd);
  }
  return allowed("256 MiB in /tmp");
}

Outcome fill_tmp_inodes(const char*) {
  for (int i = 0; i < 100'000; ++i) {
    const std::string path = "/tmp/file-" + std::to_string(i);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return denied(errno);
    ::close(fd);
  }
  return allowed("100000 files in /tmp");
}

Outcome use_tmp(const char*) {
  return write_file("/tmp/own");
}

Outcome exec_from_tmp(const char*) {
  const int fd = ::open("/tmp/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
  if (fd < 0 || ::write(fd, "#!/bin/sh\necho ran", 18) != 18) return denied(errno);
  ::close(fd);
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  ::execv("/tmp/program", arguments);
  return denied(errno);
}

// Every descriptor it has beside the one it looks with.
Outcome descriptors(const char*) {
  std::string open;
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + " ";
  }
  return {open};
}

}  // namespace

const Attempt kFileAttempts[] = {{"read-file", read_file},
                                 {"write-file", write_file},
                                 {"list", list},
                                 {"climb", climb},
                                 {"chroot", change_root},
                                 {"pivot-root", pivot},
                                 {"make-device", make_device},
                                 {"mount-tmpfs", mount_tmpfs},
                                 {"bind-root", bind_root},
                                 {"remount-root", remount_root},
                                 {"open-tree", open_tree},
                                 {"unmount", unmount},
                                 {"open-by-handle", open_by_handle},
                                 {"fill-tmp", fill_tmp},
                                 {"fill-tmp-inodes", fill_tmp_inodes},
                                 {"use-tmp", use_tmp},
                                 {"exec-from-tmp", exec_from_tmp},
                                 {"descriptors", descriptors},
                                 {nullptr, nullptr}};

}  // namespace escape
