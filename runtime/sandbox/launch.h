// The LaunchRequest on its way through `control`: encoded by the node, decoded by the sandbox.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/messages.h"

namespace subito::sandbox {

// All strings, each with its NUL, after the head that describes them. Variables may be secrets:
// the strings are in one place that whoever has sent them wipes.
struct EncodedLaunch {
  LaunchMessage head;
  std::string strings;
};
Result<EncodedLaunch> encode_launch(const std::vector<std::string>& argv,
                                    const std::vector<std::string>& envp, bool wait_for_limits);

// In the sandbox: holds what execveat needs. The strings lie in a static buffer: one launch per
// process.
struct ReceivedLaunch {
  UniqueFd artefact;
  UniqueFd image;  // of a template; mostly none
  UniqueFd files;  // granted; mostly none
  // Ended by null; not cleared before.
  char* argv[kLaunchStringsMax + 1];
  char* envp[kLaunchStringsMax + 1];
  LaunchMessage head;

  bool wait_for_limits() const { return head.wait_for_limits != 0; }
};

// Waits for the packet, or with MSG_DONTWAIT does not (EAGAIN). 0 or an errno; ECONNRESET: the node
// closed its end; EBADMSG: malformed.
int receive_launch(int control, ReceivedLaunch& launch, int flags);

// Points `launch` into `strings`, which must hold exactly what `launch.head` says.
int split_strings(char* strings, std::size_t bytes, ReceivedLaunch& launch);

}  // namespace subito::sandbox
