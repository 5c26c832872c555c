// SandboxHome: pods in sandboxes, the default home. Keeps a pool of empty sandboxes that belong to
// no function; starts a pod in one of them, or in one made for it (fresh). Keeps the templates that
// pods of start mode template begin as.
//
// Owns the launcher, and through it every pod: when the home goes, all of them are gone.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "runtime/loop/loop.h"
#include "runtime/pods/home.h"
#include "runtime/pods/templates.h"
#include "runtime/sandbox/launcher_client.h"
#include "runtime/sandbox/sandbox_control.h"

namespace subito::pods {

struct SandboxHomeConfig {
  sandbox::LauncherConfig launcher;
  std::uint32_t pool_size = 8;  // empty sandboxes kept; 0: every pod is made fresh
};

class SandboxHome final : public PodHome, private sandbox::LauncherEvents {
 public:
  // Sweeps what a dead node of the same id left, starts the launcher, begins to fill the pool.
  static Result<std::unique_ptr<SandboxHome>> create(Loop& loop, HomeEvents& events,
                                                     const SandboxHomeConfig& config);
  ~SandboxHome() override;

  Result<StartedPod> start(const PodSpec& spec) override;
  void kill(PodId pod) override;
  void ask_where(PodId pod) override;
  void share_cpu(PodId pod, std::uint32_t share) override;
  std::uint64_t memory_bytes(PodId pod) const override;
  pid_t host_pid(PodId pod) const override;
  ReadyPool ready_pool() const override;
  bool keep_template(std::uint64_t key, const PodSpec& spec, TemplateCallback told) override;
  void drop_template(std::uint64_t key) override { templates_.drop(key); }
  TemplateView template_of(std::uint64_t key) const override { return templates_.view(key); }

  pid_t launcher_pid() const { return client_.launcher_pid(); }

 private:
  // What the launcher tells of a sandbox; until then nothing.
  struct Place {
    pid_t host_pid = 0;
    sandbox::SandboxId cgroup;
  };
  // An empty sandbox of the pool, or one on its way there.
  struct Empty {
    sandbox::NodeEnds ends;
    bool ready = false;  // isolated; only then is it taken
    Place place;
  };
  struct Running {
    PodId pod;
    Place place;
  };

  SandboxHome(Loop& loop, HomeEvents& events, const SandboxHomeConfig& config,
              sandbox::LauncherClient client, const sandbox::KernelAreas& kernel_areas);

  Result<sandbox::NodeEnds> make_sandbox(sandbox::SandboxId id,
                                         const sandbox::CreateRequest& request);
  // What a sandbox becomes: the image if it is one, else the artefact.
  struct Begin {
    int artefact = -1;
    int image = -1;
  };
  Result<StartedPod> start_pooled(const PodSpec& spec, const Begin& begin);
  Result<StartedPod> start_fresh(const PodSpec& spec, const Begin& begin);
  Result<Templates::Started> start_for_template(const PodSpec& spec, int artefact);
  void adopt(sandbox::SandboxId id, PodId pod, const Place& place);
  void send_kills();
  void send_cpu_shares();
  void retry_later();
  void forget(std::unordered_map<sandbox::SandboxId, Running>::iterator running);
  void schedule_refill();
  void refill();
  void lost_empty(sandbox::SandboxId id);
  std::uint64_t memory_bytes_of(const Place& place) const;
  void on_readable();

  void on_created(const sandbox::Created& event) override;
  void on_create_failed(const sandbox::CreateFailed& event) override;
  void on_exited(const sandbox::Exited& event) override;

  Loop& loop_;
  HomeEvents& events_;
  SandboxHomeConfig config_;
  sandbox::LauncherClient client_;
  IdSource<sandbox::SandboxId> ids_;
  std::unordered_map<sandbox::SandboxId, Empty> empty_;
  std::deque<sandbox::SandboxId> ready_;  // oldest first
  std::unordered_map<sandbox::SandboxId, Running> running_;
  std::unordered_map<PodId, sandbox::SandboxId> sandbox_of_;
  std::unordered_set<sandbox::SandboxId> kills_;  // of running_, not yet taken by the launcher
  std::unordered_map<sandbox::SandboxId, std::uint32_t> cpu_shares_;  // likewise
  Templates templates_;
  std::uint32_t refill_failures_ = 0;  // in a row
  bool lost_ = false;                  // the launcher is gone
  std::unique_ptr<Poll> readable_;
  std::unique_ptr<Timer> refill_timer_;
  std::unique_ptr<Timer> retry_timer_;  // of kills_ and cpu_shares_
};

}  // namespace subito::pods
