// SandboxControl: the node's end of a sandbox's control socket, over which the waiting sandbox gets
// the function that it shall become. One per sandbox until its function runs; owned by whoever owns
// the sandbox, on that thread. Knows no event loop and never waits.
//
//   fresh:   create(), and at once launch(): the request waits in the kernel for the sandbox.
//   pooled:  create() ahead of need; launch() when a request comes.
//
// The pod's end closes at exec. So: readable and end of file means "it runs" (or was killed, which
// the launcher's `exited` event tells), readable with a report means "this step failed".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/launcher_client.h"
#include "runtime/sandbox/messages.h"

namespace subito::sandbox {

struct LaunchRequest {
  // The binary: an O_PATH or readable descriptor of a file that others may read and execute (mode
  // 0555), or a sealed memfd. Borrowed. Static ELF only: there is no loader in a pod.
  int artefact_fd = -1;
  // A sealed image of its template (protocol/image.h), to begin as it in place of the exec; then
  // the artefact must be open for reading. -1: none. Borrowed. A sandbox that cannot become the
  // image executes the artefact.
  int image_fd = -1;
  // A pack of files (granted_files.h) that are in its /tmp when it begins. -1: none. Borrowed.
  int files_fd = -1;
  std::vector<std::string> argv;  // argv[0] is what the function sees as its name
  std::vector<std::string> envp;  // "KEY=value"
  bool wait_for_limits = false;   // see LauncherClient::set_limits
};

// More than kLaunchStringsMax strings or kLaunchBytesMax bytes (messages.h): kInvalidArgument.

class SandboxControl {
 public:
  enum class Outcome {
    kPending,   // neither exec'ed nor failed yet
    kExecuted,  // the pod's end is closed
    kFailed,    // see error
  };
  struct State {
    Outcome outcome = Outcome::kPending;
    Error error;  // "mount /proc: Operation not permitted"; with kFailed only
  };

  explicit SandboxControl(UniqueFd control) : control_(std::move(control)) {}

  // Poll for reading.
  int fd() const { return control_.get(); }

  // One message, once. kUnavailable: the sandbox is gone.
  Status launch(const LaunchRequest& request);

  // Looks without waiting. After kExecuted or kFailed close the object.
  State read_outcome();

 private:
  UniqueFd control_;
};

struct NodeEnds {
  UniqueFd channel;  // non-blocking
  UniqueFd stdio;    // non-blocking, to be read only
  UniqueFd control;  // non-blocking, for SandboxControl
};
struct SandboxSockets {
  NodeEnds node;
  PodEnds pod;  // channel and stdio block, as a function expects
};

// The three socket pairs of one sandbox, all CLOEXEC. Frames may be written to node.channel at
// once: they wait in the kernel until the function reads them.
Result<SandboxSockets> make_sandbox_sockets();

}  // namespace subito::sandbox
