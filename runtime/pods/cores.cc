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

}  // namespace

SystemCores::SystemCores() {
  CPU_ZERO(&all_);
  // Fails on machines of over CPU_SETSIZE (1024) cores only: then nothing is ever moved.
  if (sched_getaffinity(0, sizeof all_, &all_) != 0) CPU_ZERO(&all_);
}

int SystemCores::current() const {
  return sched_getcpu();
}

Status SystemCores::move(pid_t pid, int core) {
  cpu_set_t cores = all_;
  if (core != kAny) {
    CPU_ZERO(&cores);
    CPU_SET(static_cast<unsigned>(core), &cores);
  }
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
  for_each_thread(pid, [&](const std::string& folder, pid_t) {
    std::ifstream file(folder + "/schedstat");
    std::int64_t on_core = 0;
    std::int64_t waited = 0;
    std::uint64_t stretches = 0;
    if (!(file >> on_core >> waited >> stretches)) return;
    told = true;
    total.on_core += std::chrono::nanoseconds(on_core);
    total.stretches += stretches;
  });
  if (!told) return fail(ErrorCode::kNotFound, process("read schedstat of", pid));
  return total;
}

}  // namespace subito::pods
