// The root that all pods of a launcher share: a mount namespace, made once, that holds one
// read-only tmpfs with /dev/{null,zero,full,random,urandom} and empty /proc and /tmp, and nothing
// of the host. A pod enters it, takes a copy and mounts its own /tmp and /proc there.
#pragma once

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::sandbox {

// A descriptor of the namespace, for setns(2). The caller stays (in fact: comes back) where it was.
// Needs root and a single thread.
Result<UniqueFd> prepare_pod_root();

}  // namespace subito::sandbox
