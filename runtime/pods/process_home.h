// ProcessHome: pods as plain processes, without any isolation. For tests that need no root and as
// the floor that isolation is measured against. Never the home of a function from elsewhere.
#pragma once

#include <memory>
#include <unordered_map>

#include "runtime/loop/loop.h"
#include "runtime/pods/home.h"

namespace subito::pods {

class ProcessHome final : public PodHome {
 public:
  // Both must outlive it.
  ProcessHome(Loop& loop, HomeEvents& events);
  ~ProcessHome() override;  // kills and reaps what still runs

  Result<StartedPod> start(const PodSpec& spec) override;
  void kill(PodId pod) override;
  void share_cpu(PodId, std::uint32_t) override {}  // plain processes: the host's scheduler alone
  std::uint64_t memory_bytes(PodId) const override { return 0; }
  pid_t host_pid(PodId pod) const override;
  ReadyPool ready_pool() const override { return {}; }

 private:
  struct Process;
  void reap(PodId pod);

  Loop& loop_;
  HomeEvents& events_;
  std::unordered_map<PodId, std::unique_ptr<Process>> processes_;
};

}  // namespace subito::pods
