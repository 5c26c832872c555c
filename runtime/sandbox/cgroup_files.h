// Reading and writing the small files of a cgroup directory. Stateless.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::sandbox {

constexpr const char* kControllersOn = "+memory +pids +cpu";

// [a-z0-9-]{1,40}: it becomes part of a path.
bool valid_node_id(std::string_view node_id);

// `path` relative to the directory `dirfd`, or AT_FDCWD. 0 or an errno.
int write_at(int dirfd, const char* path, std::string_view value);

// At most 64 KiB.
Result<std::string> read_at(int dirfd, const char* path);

// Version 2: moves the processes of `group` into a leaf below it, so that controllers may be given
// to others beside them (cgroups(7), "no internal processes"). Not named "subito-...": no node id
// may lead a sweep there.
constexpr const char* kMembersLeaf = "host.subito";
Status move_members_aside(const std::string& group);

// "oom_kill 3" among lines of "key value" -> 3; 0 if absent.
std::uint64_t value_of_key(std::string_view text, std::string_view key);

}  // namespace subito::sandbox
