#include "runtime/pods/cores.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/unique_fd.h"

namespace subito::pods {
namespace {

std::string process(const char* verb, pid_t pid) {
  return std::string(verb) + " process " + std::to_string(pid);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Those it has now. `act` gets the open folder /proc/PID/task and the name in it of each.
template <typename Act>
void for_each_thread(pid_t pid, Act act) {
  const std::unique_ptr<DIR, CloseFolder> task(
      ::opendir(("/proc/" + std::to_string(pid) + "/task").c_str()));
  if (!task) return;
  while (const dirent* entry = ::readdir(task.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.')) act(::dirfd(task.get()), name);
  }
}

// "ON_CORE WAITED STRETCHES", in nanoseconds.
bool add_schedstat(int folder, const std::string& path, scheduler::Running& total) {
  const UniqueFd file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[80];
  const ssize_t size = file.valid() ? ::read(file.get(), text, sizeof text) : 0;
  const char* at = text;
  const char* const end = text + std::max<ssize_t>(size, 0);
  std::int64_t numbers[3] = {};
  for (std::int64_t& number : numbers) {
    while (at != end && *at == ' ') ++at;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc()) return false;
    at = stop;
  }
  total.on_core += std::chrono::nanoseconds(numbers[0]);
  total.waited += std::chrono::nanoseconds(numbers[1]);
  total.stretches += static_cast<std::uint64_t>(numbers[2]);
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
  for_each_thread(pid, [&](int, std::string_view name) {
    const pid_t thread = std::atoi(name.data());
    // One that ended meanwhile needs no core.
    if (thread != pid) sched_setaffinity(thread, sizeof cores, &cores);
  });
  return ok();
}

Result<scheduler::Running> SystemCores::ran(pid_t pid) const {
  scheduler::Running total;
  bool told = false;
  for_each_thread(pid, [&](int folder, std::string_view name) {
    told = add_schedstat(folder, std::string(name) + "/schedstat", total) || told;
  });
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
  if (!add_schedstat(AT_FDCWD, "/proc/thread-self/schedstat", total)) {
    return fail(ErrorCode::kNotFound, "read schedstat of the loop's thread");
  }
  return total;
}

}  // namespace subito::pods
