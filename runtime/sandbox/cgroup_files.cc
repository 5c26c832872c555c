#include "runtime/sandbox/cgroup_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/messages.h"

namespace subito::sandbox {

bool valid_node_id(std::string_view node_id) {
  return !node_id.empty() && node_id.size() <= kNodeIdBytesMax &&
         std::all_of(node_id.begin(), node_id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

int write_at(int dirfd, const char* path, std::string_view value) {
  const UniqueFd file(::openat(dirfd, path, O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!file.valid()) return errno;
  return ::write(file.get(), value.data(), value.size()) < 0 ? errno : 0;
}

Result<std::string> read_at(int dirfd, const char* path) {
  constexpr std::size_t kBytesMax = 64 * 1024;
  const UniqueFd file(::openat(dirfd, path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return errno_error(std::string("open ") + path);
  std::string text;
  char part[4096];
  while (text.size() < kBytesMax) {
    const ssize_t size = ::read(file.get(), part, sizeof part);
    if (size < 0) return errno_error(std::string("read ") + path);
    if (size == 0) break;
    text.append(part, static_cast<std::size_t>(size));
  }
  return text;
}

Status move_members_aside(const std::string& group) {
  constexpr int kRoundsMax = 10;  // they may fork while they are moved
  const std::string leaf = group + "/" + kMembersLeaf;
  if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("make " + leaf);
  for (int round = 0; round < kRoundsMax; ++round) {
    ASSIGN_OR_RETURN(const std::string members,
                     read_at(AT_FDCWD, (group + "/cgroup.procs").c_str()));
    if (members.empty()) return ok();
    for (std::size_t begin = 0; begin < members.size();) {
      const std::size_t end = std::min(members.find('\n', begin), members.size());
      const std::string pid = members.substr(begin, end - begin);
      // So the kernel shows one of another pid namespace (cgroups(7)); written, 0 is the writer.
      if (pid == "0") {
        return fail(
            ErrorCode::kFailedPrecondition,
            "move processes of " + group + ": a process outside this pid namespace is in it");
      }
      const int error = write_at(AT_FDCWD, (leaf + "/cgroup.procs").c_str(), pid);
      if (error != 0 && error != ESRCH) return errno_error("move process " + pid, error);
      begin = end + 1;
    }
  }
  return fail(ErrorCode::kUnavailable, "move processes to " + leaf + ": ever new ones come");
}

std::uint64_t value_of_key(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
    std::uint64_t value = 0;
    std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

}  // namespace subito::sandbox
