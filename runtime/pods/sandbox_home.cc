#include "runtime/pods/sandbox_home.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "runtime/pods/memory_usage.h"
#include "runtime/sandbox/cgroup.h"

namespace subito::pods {
namespace {

using sandbox::SandboxId;

// Making a sandbox takes a millisecond or two of a core. It is put off this long after a start, so
// that the pool is filled behind a burst and not beside the pod that a client waits for.
constexpr Duration kRefillDelay = std::chrono::milliseconds(5);
// After a failure: 50 ms, doubled up to 5 s.
constexpr Duration kRefillRetryFirst = std::chrono::milliseconds(50);
constexpr std::uint32_t kRefillRetryDoublingsMax = 7;
// Sandboxes made in one go; then the loop, and whoever needs the cores, gets a turn.
constexpr std::uint32_t kRefillBatch = 2;

// Of what a launcher that is far behind did not take.
constexpr Duration kLauncherRetryDelay = std::chrono::milliseconds(10);

constexpr std::chrono::milliseconds kSweepDeadline = std::chrono::seconds(2);

// Shells report "ended by signal n" as this much more, and so does a pod that is the init of its
// pid namespace and cannot be killed by its own SIGABRT.
constexpr int kSignalExitBase = 128;
constexpr int kSignalMax = 31;

std::string mount_root(const SandboxHomeConfig& config) {
  return config.launcher.cgroup_root.empty() ? "/sys/fs/cgroup" : config.launcher.cgroup_root;
}

sandbox::SandboxLimits to_sandbox(const PodLimits& limits) {
  return {limits.memory_bytes_max, limits.pids_max, limits.cpu_millicores_max};
}

Result<UniqueFd> open_artefact(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open artefact " + path);
  return fd;
}

sandbox::LaunchRequest launch_request(const PodSpec& spec, int artefact, int image,
                                      bool wait_for_limits) {
  sandbox::LaunchRequest request;
  request.artefact_fd = artefact;
  request.image_fd = image;
  request.argv.push_back(spec.name);
  request.argv.insert(request.argv.end(), spec.args.begin(), spec.args.end());
  request.wait_for_limits = wait_for_limits;
  request.envp = variables_of(spec);
  if (spec.grants && spec.grants->files.valid()) request.files_fd = spec.grants->files.fd();
  return request;
}

Status launch(UniqueFd control, sandbox::LaunchRequest request) {
  const Status launched = sandbox::SandboxControl(std::move(control)).launch(request);
  wipe_all(request.envp);
  return launched;
}

PodExit to_pod_exit(PodId pod, const sandbox::Exited& event) {
  PodExit exit;
  exit.pod = pod;
  exit.memory_bytes_peak = event.memory_bytes_peak;
  if (event.failed_step != sandbox::Step::kNone) {
    exit.cause = PodExit::Cause::kStartFailed;
    exit.message =
        sandbox::step_error(event.failed_step, event.failed_errno).annotate("start pod").message;
  } else if (event.oom_kills > 0) {
    exit.cause = PodExit::Cause::kOutOfMemory;
  } else if (WIFSIGNALED(event.wait_status)) {
    exit.cause = PodExit::Cause::kSignalled;
    exit.code = WTERMSIG(event.wait_status);
  } else {
    exit.code = WEXITSTATUS(event.wait_status);
    if (exit.code > kSignalExitBase && exit.code <= kSignalExitBase + kSignalMax) {
      exit.cause = PodExit::Cause::kSignalled;
      exit.code -= kSignalExitBase;
    }
  }
  return exit;
}

}  // namespace

Result<std::unique_ptr<SandboxHome>> SandboxHome::create(Loop& loop, HomeEvents& events,
                                                         const SandboxHomeConfig& config) {
  ASSIGN_OR_RETURN([[maybe_unused]] const sandbox::SweepReport swept,
                   sandbox::sweep_node(mount_root(config), config.launcher.node_id,
                                       config.launcher.start_deadline));
  ASSIGN_OR_RETURN(sandbox::LauncherClient client, sandbox::LauncherClient::start(config.launcher));
  // Not known: templates cost each of their pods the move of these areas.
  const auto kernel_areas =
      sandbox::find_kernel_areas(client.launcher_pid()).value_or(sandbox::KernelAreas());
  std::unique_ptr<SandboxHome> home(
      new SandboxHome(loop, events, config, std::move(client), kernel_areas));
  home->refill();
  return home;
}

SandboxHome::SandboxHome(Loop& loop, HomeEvents& events, const SandboxHomeConfig& config,
                         sandbox::LauncherClient client, const sandbox::KernelAreas& kernel_areas)
    : loop_(loop),
      events_(events),
      config_(config),
      client_(std::move(client)),
      templates_(loop, {[this](const PodSpec& spec, int artefact) {
                          return start_for_template(spec, artefact);
                        },
                        [this](SandboxId id) {
                          kills_.insert(id);
                          send_kills();
                        },
                        kernel_areas}) {
  readable_ = std::make_unique<Poll>(loop_, client_.fd(), [this](int, int) { on_readable(); });
  readable_->start(UV_READABLE);
  refill_timer_ = std::make_unique<Timer>(loop_, [this] { refill(); });
  retry_timer_ = std::make_unique<Timer>(loop_, [this] {
    send_kills();
    send_cpu_shares();
  });
}

SandboxHome::~SandboxHome() {
  readable_.reset();
  // A launcher that ends in order removes its cgroups; after one that was killed they are ours.
  if (lost_) {
    (void)sandbox::sweep_node(mount_root(config_), config_.launcher.node_id, kSweepDeadline);
  }
}

Result<sandbox::NodeEnds> SandboxHome::make_sandbox(SandboxId id,
                                                    const sandbox::CreateRequest& request) {
  ASSIGN_OR_RETURN(sandbox::SandboxSockets sockets, sandbox::make_sandbox_sockets());
  RETURN_IF_ERROR(client_.create(id, request, std::move(sockets.pod)));
  return std::move(sockets.node);
}

Result<StartedPod> SandboxHome::start(const PodSpec& spec) {
  Begin begin;
  if (spec.mode == StartMode::kTemplate) {
    const Templates::Image kept = templates_.image(spec.template_key);
    begin = {kept.artefact, kept.image};
  }
  UniqueFd artefact;
  if (begin.image < 0) {
    ASSIGN_OR_RETURN(artefact, open_artefact(spec.artefact_path));
    begin.artefact = artefact.get();
  }
  if (spec.mode != StartMode::kFresh) {
    while (!ready_.empty()) {
      // One that died unseen since the last turn refuses the launch: the next one is tried.
      if (auto started = start_pooled(spec, begin)) return started;
    }
  }
  return start_fresh(spec, begin);
}

Result<StartedPod> SandboxHome::start_pooled(const PodSpec& spec, const Begin& begin) {
  const SandboxId id = ready_.front();
  ready_.pop_front();
  sandbox::NodeEnds ends = std::move(empty_.at(id).ends);
  const Place place = empty_.at(id).place;
  empty_.erase(id);
  schedule_refill();
  const sandbox::SandboxLimits limits = to_sandbox(spec.limits);
  const bool other_limits = limits != sandbox::SandboxLimits{};
  if (other_limits) RETURN_IF_ERROR(client_.set_limits(id, limits));
  if (auto launched = launch(std::move(ends.control),
                             launch_request(spec, begin.artefact, begin.image, other_limits));
      !launched) {
    (void)client_.kill(id);
    return std::move(launched).error();
  }
  adopt(id, spec.id, place);
  const StartMode mode = begin.image >= 0 ? StartMode::kTemplate : StartMode::kPooled;
  return StartedPod{std::move(ends.channel), std::move(ends.stdio), mode};
}

Result<StartedPod> SandboxHome::start_fresh(const PodSpec& spec, const Begin& begin) {
  const SandboxId id = ids_.next();
  // One that found no empty sandbox may have what the next of these would have had.
  const bool reuse = spec.mode != StartMode::kFresh;
  ASSIGN_OR_RETURN(sandbox::NodeEnds ends, make_sandbox(id, {to_sandbox(spec.limits), reuse}));
  // The request waits in the control socket until the sandbox is ready for it; a failure of any
  // step comes back as the sandbox's exit, so the socket is not watched.
  RETURN_IF_ERROR(
      launch(std::move(ends.control), launch_request(spec, begin.artefact, begin.image, false)));
  adopt(id, spec.id, {});
  const StartMode mode = begin.image >= 0 ? StartMode::kTemplate : StartMode::kFresh;
  return StartedPod{std::move(ends.channel), std::move(ends.stdio), mode};
}

bool SandboxHome::keep_template(std::uint64_t key, const PodSpec& spec, TemplateCallback told) {
  templates_.keep(key, spec, std::move(told));
  return true;
}

// Its own pages and their copy in the image are both charged to it. The image stays when it ends.
Result<Templates::Started> SandboxHome::start_for_template(const PodSpec& spec, int artefact) {
  const SandboxId id = ids_.next();
  sandbox::SandboxLimits limits = to_sandbox(spec.limits);
  limits.memory_bytes_max *= 2;
  ASSIGN_OR_RETURN(sandbox::NodeEnds ends, make_sandbox(id, {limits, false, false}));
  sandbox::LaunchRequest request = launch_request(spec, artefact, -1, false);
  request.files_fd = -1;  // an image has no files: its pods get their own
  RETURN_IF_ERROR(launch(std::move(ends.control), std::move(request)));
  return Templates::Started{id, std::move(ends)};
}

void SandboxHome::adopt(SandboxId id, PodId pod, const Place& place) {
  running_.emplace(id, Running{pod, place});
  sandbox_of_.emplace(pod, id);
}

void SandboxHome::kill(PodId pod) {
  const auto it = sandbox_of_.find(pod);
  if (it == sandbox_of_.end()) return;
  kills_.insert(it->second);
  send_kills();
}

// A launcher too far behind to take a message (kResourceExhausted) is asked again; one that is gone
// is found lost on reading.
void SandboxHome::send_kills() {
  while (!kills_.empty()) {
    const Status sent = client_.kill(*kills_.begin());
    if (!sent && sent.error().code == ErrorCode::kResourceExhausted) {
      return retry_later();
    }
    kills_.erase(kills_.begin());
  }
}

// Lost where the launcher is too far behind: whoever asks kills a moment later.
void SandboxHome::ask_where(PodId pod) {
  const auto it = sandbox_of_.find(pod);
  if (it != sandbox_of_.end()) (void)client_.kill(it->second, SIGABRT);
}

void SandboxHome::share_cpu(PodId pod, std::uint32_t share) {
  const auto it = sandbox_of_.find(pod);
  if (it == sandbox_of_.end()) return;
  cpu_shares_[it->second] = share;
  send_cpu_shares();
}

// As with kills, which go first; of what waits for a pod only the last counts.
void SandboxHome::send_cpu_shares() {
  send_kills();
  while (kills_.empty() && !cpu_shares_.empty()) {
    const auto first = cpu_shares_.begin();
    const Status sent = client_.share_cpu(first->first, first->second);
    if (!sent && sent.error().code == ErrorCode::kResourceExhausted) {
      return retry_later();
    }
    cpu_shares_.erase(first);
  }
}

// Not put off by whatever else fails meanwhile.
void SandboxHome::retry_later() {
  if (!retry_timer_->active()) retry_timer_->start(kLauncherRetryDelay);
}

std::uint64_t SandboxHome::memory_bytes(PodId pod) const {
  const auto id = sandbox_of_.find(pod);
  return id == sandbox_of_.end() ? 0 : memory_bytes_of(running_.at(id->second).place);
}

pid_t SandboxHome::host_pid(PodId pod) const {
  const auto id = sandbox_of_.find(pod);
  return id == sandbox_of_.end() ? 0 : running_.at(id->second).place.host_pid;
}

ReadyPool SandboxHome::ready_pool() const {
  ReadyPool pool;
  for (const auto& [id, empty] : empty_) {
    if (!empty.ready) continue;
    ++pool.sandboxes;
    pool.memory_bytes += memory_bytes_of(empty.place);
  }
  pool.templates = templates_.ready();
  pool.template_bytes = templates_.memory_bytes();
  return pool;
}

std::uint64_t SandboxHome::memory_bytes_of(const Place& place) const {
  if (place.host_pid == 0) return 0;
  const std::string group =
      "/subito-" + config_.launcher.node_id + "/pod-" + std::to_string(place.cgroup.value());
  const std::string v1 = mount_root(config_) + "/memory" + group;
  const bool is_v1 = ::access(v1.c_str(), F_OK) == 0;
  return memory_usage_bytes(place.host_pid, is_v1 ? v1 : mount_root(config_) + group);
}

void SandboxHome::schedule_refill() {
  if (!refill_timer_->active()) refill_timer_->start(kRefillDelay);
}

void SandboxHome::refill() {
  for (std::uint32_t made = 0; empty_.size() < config_.pool_size && made < kRefillBatch; ++made) {
    const SandboxId id = ids_.next();
    auto ends = make_sandbox(id, {{}, true});
    if (!ends) return lost_empty(id);
    empty_.emplace(id, Empty{*std::move(ends), false, {}});
  }
}

// Keeps trying, ever more slowly: a pool that cannot be filled costs warm starts, not answers.
void SandboxHome::lost_empty(SandboxId id) {
  empty_.erase(id);
  std::erase(ready_, id);
  const std::uint32_t doublings = std::min(refill_failures_++, kRefillRetryDoublingsMax);
  refill_timer_->start(kRefillRetryFirst * (1 << doublings));
}

void SandboxHome::on_readable() {
  if (auto status = client_.on_readable(*this); !status) {
    readable_->stop();
    refill_timer_->stop();
    retry_timer_->stop();
    lost_ = true;
    events_.on_home_lost(status.error());
  }
}

void SandboxHome::on_created(const sandbox::Created& event) {
  if (const auto it = running_.find(event.id); it != running_.end()) {
    it->second.place = {event.host_pid, event.cgroup};
  }
  const auto it = empty_.find(event.id);
  if (it == empty_.end()) return;
  it->second.ready = true;
  it->second.place = {event.host_pid, event.cgroup};
  ready_.push_back(event.id);
  refill_failures_ = 0;
  if (empty_.size() < config_.pool_size) refill();
}

void SandboxHome::on_create_failed(const sandbox::CreateFailed& event) {
  const Error error = sandbox::step_error(event.step, event.os_errno).annotate("start pod");
  if (empty_.contains(event.id)) return lost_empty(event.id);
  PodExit exit;
  exit.cause = PodExit::Cause::kStartFailed;
  exit.message = error.message;
  if (templates_.on_sandbox_ended(event.id, exit)) return;
  const auto it = running_.find(event.id);
  if (it == running_.end()) return;
  exit.pod = it->second.pod;
  forget(it);
  events_.on_pod_exited(exit);
}

void SandboxHome::forget(std::unordered_map<SandboxId, Running>::iterator running) {
  sandbox_of_.erase(running->second.pod);
  kills_.erase(running->first);
  cpu_shares_.erase(running->first);
  running_.erase(running);
}

void SandboxHome::on_exited(const sandbox::Exited& event) {
  if (empty_.contains(event.id)) return lost_empty(event.id);
  if (templates_.on_sandbox_ended(event.id, to_pod_exit({}, event))) return;
  const auto it = running_.find(event.id);
  if (it == running_.end()) return;
  const PodExit exit = to_pod_exit(it->second.pod, event);
  forget(it);
  events_.on_pod_exited(exit);
}

}  // namespace subito::pods
