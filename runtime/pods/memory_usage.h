// What a sandbox costs in memory: the pages of its process (proportional set size, proc(5)) plus
// the kernel memory charged to its cgroup. PSS alone flatters three to five times.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace subito::pods {

// `memory_cgroup`: the group's directory in the memory hierarchy (v1) or the unified one (v2).
// 0 when neither can be read: the sandbox is gone.
std::uint64_t memory_usage_bytes(pid_t pid, const std::string& memory_cgroup);

// The number behind `key` in "key value" lines, as of memory.stat and smaps_rollup; 0: not there.
std::uint64_t find_number(const std::string& text, const std::string& key);

}  // namespace subito::pods
