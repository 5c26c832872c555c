// PodGrants: what a pod gets of config objects and secrets, beside its CONFIG, in each of the three
// ways. Made by the node once for a revision and shared by all of its pods; plaintext, so all of it
// is in locked memory (runtime/base/secret_memory.h).
#pragma once

#include <memory>

#include "runtime/base/secret_memory.h"

namespace subito::pods {

struct PodGrants {
  LockedBytes environment;  // "KEY=value", each with its NUL
  SealedFile files;         // sandbox/granted_files.h; none: not valid
  SealedFile values;        // a protocol::Values; none: not valid
};
using GrantsPtr = std::shared_ptr<const PodGrants>;

// Of args and variables together as many bytes may be in a launch request; this is for variables.
inline constexpr std::size_t kEnvironmentBytesMax = 32 << 10;

}  // namespace subito::pods
