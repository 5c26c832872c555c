#include "runtime/pods/cores.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace subito::pods {
namespace {

std::string process(const char* verb, pid_t pid) {
  return std::string(verb) + " process " + std::to_string(pid);
}

// Those it has now. `act` gets the folder and the id of each.
template <typename Act>
void for_each_thread(pid_t pid, Act act) {
  std::error_code gone;
  std::filesystem::directory_iterator task("/proc/" + std::to_string(pid) + "/task", gone);
  for (; !gone && task != std::filesystem::directory_iterator(); task.increment(gone)) {
    act(task->path().string(), static_cast<pid_t>(std::atoi(task->path().filename().c_str())));
  }
}

// "ON_CORE WAITED STRETCHES", in nanoseconds.
bool add_schedstat(const std::string& folder, scheduler::Running& total) {
  std::ifstream file(folder + "/schedstat");
  std::int64_t on_core = 0;
  std::int64_t waited = 0;
  std::uint64_t stretches = 0;
  if (!(file >> on_core >> waited >> stretches)) return false;
  total.on_core += std::chrono::nanoseconds(on_core);
  total.waited += std::chrono::nanoseconds(waited);
  total.stretches += stretches;
  return true;
}

}  // namespace

SystemCores::SystemCores() {
  CPU_ZERO(&all_);
  // Fails on machines of over CPU_SETSIZE (1024) cores only: then nothing is ever moved.
  if (sched_getaffinity(0, sizeof all_, &all_) != 0) CPU_ZERO(&all_);
  count_ = CPU_COUNT(&all_);
}

int SystemCores::current() const {
  return sched_getcpu();
}

cpu_set_t SystemCores::set_of(int core) const {
  if (core == kAny) return all_;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(core), &one);
  return one;
}

Status SystemCores::move(pid_t pid, int core) {
  const cpu_set_t cores = set_of(core);
  if (sched_setaffinity(pid, sizeof cores, &cores) != 0) {
    return tl::unexpected(errno_error(process("move", pid)));
  }
  for_each_thread(pid, [&](const std::string&, pid_t thread) {
    // One that ended meanwhile needs no core.
    if (thread != pid) sched_setaffinity(thread, sizeof cores, &cores);
  });
  return ok();
}

Result<scheduler::Running> SystemCores::ran(pid_t pid) const {
  scheduler::Running total;
  bool told = false;
  for_each_thread(
      pid, [&](const std::string& folder, pid_t) { told = add_schedstat(folder, total) || told; });
  if (!told) return fail(ErrorCode::kNotFound, process("read schedstat of", pid));
  return total;
}

Status SystemCores::move_this_thread(int core) {
  const cpu_set_t cores = set_of(core);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) {
    return tl::unexpected(errno_error("move the loop's thread"));
  }
  return ok();
}

Result<scheduler::Running> SystemCores::ran_this_thread() const {
  scheduler::Running total;
  if (!add_schedstat("/proc/thread-self", total)) {
    return fail(ErrorCode::kNotFound, "read schedstat of the loop's thread");
  }
  return total;
}

}  // namespace subito::pods
