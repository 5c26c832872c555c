// The page cache of one file: dropped, so that whoever reads it next waits for the disk. The rest
// of the machine's cache stays. Plain functions.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/base/result.h"

namespace subito::bench {

// Pages of the file that are in memory.
Result<std::size_t> cached_pages(const std::string& file);

// Writes the file out and drops its pages (posix_fadvise(2), POSIX_FADV_DONTNEED).
// kFailedPrecondition when some stay: a process has them mapped, or the file lies in a tmpfs.
Status drop_cached_pages(const std::string& file);

}  // namespace subito::bench
