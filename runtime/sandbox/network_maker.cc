#include "runtime/sandbox/network_maker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <new>

#include "runtime/base/check.h"
#include "runtime/sandbox/clone_process.h"
#include "runtime/sandbox/futex.h"
#include "runtime/sandbox/step_clock.h"

namespace subito::sandbox {

Result<std::unique_ptr<NetworkMaker>> NetworkMaker::start(int launcher_pidfd) {
  std::unique_ptr<NetworkMaker> maker(new NetworkMaker);
  maker->home_.reset(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!maker->home_.valid()) return errno_error("open /proc/self/ns/net");
  // More CPUs than fit: then there is no need of hints either.
  if (::sched_getaffinity(0, sizeof maker->cpus_, &maker->cpus_) != 0) CPU_ZERO(&maker->cpus_);
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno_error("map memory of the network maker");
  maker->shared_ = new (memory) Shared;
  ClonedProcess cloned = clone_process(CLONE_FILES, -1);
  if (cloned.pid == 0) maker->run(launcher_pidfd);
  if (cloned.pid < 0) return errno_error("clone the network maker", cloned.os_errno);
  maker->pid_ = cloned.pid;
  maker->pidfd_ = std::move(cloned.pidfd);
  return maker;
}

NetworkMaker::~NetworkMaker() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void NetworkMaker::begin(LentNetwork& lent) {
  CHECK(idle());
  lent.fd.store(LentNetwork::kPending, std::memory_order_relaxed);
  shared_->job.store(&lent, std::memory_order_relaxed);
  shared_->jobs_begun.fetch_add(1, std::memory_order_release);
  cpu_set_t others = cpus_;
  CPU_CLR(::sched_getcpu(), &others);
  if (CPU_COUNT(&others) > 0) ::sched_setaffinity(pid_, sizeof others, &others);
  wake_waiter(shared_->jobs_begun);
}

void NetworkMaker::spread_out() const {
  if (CPU_COUNT(&cpus_) > 0) ::sched_setaffinity(pid_, sizeof cpus_, &cpus_);
}

void NetworkMaker::run(int launcher_pidfd) {
  pollfd launcher = {launcher_pidfd, POLLIN, 0};
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::poll(&launcher, 1, 0) != 0) ::_exit(1);
  ::prctl(PR_SET_NAME, "subito-network");
  for (std::uint32_t done = 0;; ++done) {
    wait_while(shared_->jobs_begun, done);
    make(*shared_->job.load(std::memory_order_relaxed));
    shared_->job.store(nullptr, std::memory_order_release);
  }
}

void NetworkMaker::make(LentNetwork& lent) const {
  const std::uint64_t begin = monotonic_us();
  int made = LentNetwork::kNone;
  if (::unshare(CLONE_NEWNET) == 0) {
    made = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (made < 0) made = LentNetwork::kNone;
  }
  lent.made_us = static_cast<std::uint32_t>(monotonic_us() - begin);
  lent.fd.store(made, std::memory_order_release);
  wake_waiter(lent.fd);
  // Staying would keep it alive beyond its pod. Without memory for the way home: the end.
  if (::setns(home_.get(), CLONE_NEWNET) != 0) ::_exit(1);
}

}  // namespace subito::sandbox
