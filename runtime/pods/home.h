// PodHome: where pods live and how they come to life. One interface, several homes: the sandbox
// (sandbox_home.h, the default) and a plain process (process_home.h, no isolation, for tests and as
// a floor to measure against). Owned by the node, used on its loop's thread.
//
// The life of a pod, seen from here: start() ──▶ exited, exactly once for each start() that did not
// fail. The request may be written to the channel as soon as start() returned: it waits in the
// kernel until the function reads it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"
#include "runtime/base/unique_fd.h"
#include "runtime/pods/grants.h"

namespace subito::pods {

enum class StartMode : std::uint8_t { kPooled, kFresh, kTemplate, kProcess };
std::string_view to_string(StartMode mode);  // "pooled", "fresh", "template", "process"

struct PodLimits {
  std::uint64_t memory_bytes_max = 128ULL << 20;
  std::uint32_t pids_max = 64;
  std::uint32_t cpu_millicores_max = 0;  // 0: no limit of its own
};

struct PodSpec {
  PodId id;
  std::string name;           // what it sees as argv[0]
  std::string artefact_path;  // the static binary
  std::vector<std::string> args;
  StartMode mode = StartMode::kPooled;
  PodLimits limits;
  std::uint64_t template_key = 0;  // kTemplate: which it begins as
  GrantsPtr grants = {};           // null: none
};

// The template of a revision: an image of one process of it that has initialised itself, of which
// its pods begin as copies.
struct TemplateView {
  enum class State : std::uint8_t {
    kNone,
    kMaking,
    kReady,
    kFailed,   // `fault`; tried again
    kRefused,  // `fault`: of this function none can be made
  };
  State state = State::kNone;
  std::uint64_t memory_bytes = 0;  // of the image, for as long as it is kept
  Duration made_in{};
  std::string fault;
};
using TemplateCallback = std::function<void(const TemplateView&)>;

struct StartedPod {
  UniqueFd channel;                    // non-blocking; frames
  UniqueFd stdio;                      // non-blocking; what the pod prints
  StartMode mode = StartMode::kFresh;  // how it really starts: kTemplate falls back to
                                       // kPooled, that to kFresh
};

struct PodExit {
  enum class Cause : std::uint8_t {
    kExited,       // code: its exit status
    kSignalled,    // code: the signal
    kOutOfMemory,  // killed at its memory limit
    kStartFailed,  // never became the function; message says which step and why
  };
  PodId pod;
  Cause cause = Cause::kExited;
  int code = 0;
  std::string message;  // "start pod: exec: Exec format error"; empty unless kStartFailed
  std::uint64_t memory_bytes_peak = 0;  // 0: not known
};

// "exited with status 1", "ended by SIGSEGV", "out of memory (limit 128 MiB)", the message.
std::string words(const PodExit& exit, std::uint64_t memory_bytes_max);

// "KEY=value" each; whoever has used them wipes them.
std::vector<std::string> variables_of(const PodSpec& spec);
void wipe_all(std::vector<std::string>& texts);

// Has the kernel read the artefact now, on the node's account: the page cache is charged to the
// cgroup that touches it first, and that should not be a pod's. Returns before it is read.
void read_ahead(const std::string& artefact_path);

// What is kept ready for pods to come, belonging to no function.
struct ReadyPool {
  std::uint32_t sandboxes = 0;
  std::uint64_t memory_bytes = 0;  // charged to their cgroups, kernel memory included
  // And of functions: images of templates.
  std::uint32_t templates = 0;
  std::uint64_t template_bytes = 0;
};

class HomeEvents {
 public:
  virtual ~HomeEvents() = default;
  virtual void on_pod_exited(const PodExit& exit) = 0;
  // The home is lost, and every pod in it; the node cannot go on.
  virtual void on_home_lost(const Error& error) = 0;
};

class PodHome {
 public:
  virtual ~PodHome() = default;
  virtual Result<StartedPod> start(const PodSpec& spec) = 0;
  virtual void kill(PodId pod) = 0;  // SIGKILL; its exit follows. Unknown: nothing happens
  // SIGABRT to its first process, which an SDK's pod answers by a report of where its main thread
  // is, and ends. Others ignore it: whoever asks kills a moment later.
  virtual void ask_where(PodId pod) = 0;
  // How much of the CPU it gets beside other pods while there is too little for all, in thousandths
  // of what it starts with. A home without control groups has nothing to tell. Unknown: nothing
  // happens.
  virtual void share_cpu(PodId pod, std::uint32_t share) = 0;
  // What the pod takes now, kernel memory included; 0: not known.
  virtual std::uint64_t memory_bytes(PodId pod) const = 0;
  // Of its first process, as this process sees it; 0: not known, or not yet.
  virtual pid_t host_pid(PodId pod) const = 0;
  virtual ReadyPool ready_pool() const = 0;

  // Makes the template `key` of the pods that `spec` describes, and keeps it until drop_template().
  // `told` hears each time that it is ready, failed or refused, from the loop. While it is not
  // ready, pods start pooled. One that is there already is told again. False: this home has none.
  virtual bool keep_template(std::uint64_t /*key*/, const PodSpec& /*spec*/,
                             TemplateCallback /*told*/) {
    return false;
  }
  virtual void drop_template(std::uint64_t /*key*/) {}
  virtual TemplateView template_of(std::uint64_t /*key*/) const { return {}; }
};

}  // namespace subito::pods
