// sandbox_bench BINARY [RUNS]: what isolation costs, without node or event loop. Interleaved in one
// run: posix_spawn of the static BINARY, a fresh sandbox, a pooled one; each from the decision to
// the first byte on descriptor 3, which BINARY must write. Prints p50, p90, p99 and each step's
// share.
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "runtime/base/check.h"
#include "runtime/sandbox/sandbox_harness.h"

namespace subito::sandbox {
namespace {

using Samples = std::vector<std::uint64_t>;
constexpr useconds_t kRestUs = 10'000;  // between starts, as real life does

std::uint64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

void await_byte(int fd) {
  pollfd readable = {fd, POLLIN, 0};
  char byte = 0;
  CHECK(::poll(&readable, 1, static_cast<int>(kHarnessDeadline.count())) == 1);
  CHECK(::read(fd, &byte, 1) == 1);
}

std::uint64_t time_spawn(const char* binary) {
  const std::uint64_t begin = now_us();
  int ends[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
  char* const argv[] = {const_cast<char*>(binary), nullptr};
  pid_t pid = -1;
  CHECK(::posix_spawn(&pid, binary, &actions, nullptr, argv, argv + 1) == 0);
  await_byte(ends[0]);
  const std::uint64_t took = now_us() - begin;
  ::posix_spawn_file_actions_destroy(&actions);
  ::waitpid(pid, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  return took;
}

std::uint64_t time_fresh(Harness& harness, const char* binary, std::vector<Samples>& steps) {
  const std::uint64_t begin = now_us();
  const SandboxId id = harness.create();
  CHECK(harness.launch(id, {binary}).has_value());
  await_byte(harness.ends(id).channel.get());
  const std::uint64_t took = now_us() - begin;
  const StepTimes& times = harness.await_created(id).step_us;
  for (std::size_t i = 0; i < kStepCount; ++i) steps[i].push_back(times[i]);
  (void)harness.await_end(id);
  return took;
}

std::uint64_t time_pooled(Harness& harness, const char* binary) {
  CreateRequest request;
  request.reuse_network = true;
  const SandboxId id = harness.create(request);
  harness.await_created(id);
  ::usleep(kRestUs);
  const std::uint64_t begin = now_us();
  CHECK(harness.launch(id, {binary}).has_value());
  await_byte(harness.ends(id).channel.get());
  const std::uint64_t took = now_us() - begin;
  (void)harness.await_end(id);
  return took;
}

void print(std::string_view name, Samples samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](std::size_t percent) {
    return static_cast<unsigned long long>(samples[samples.size() * percent / 100]);
  };
  std::printf("%-26.*s %6llu %6llu %6llu\n", static_cast<int>(name.size()), name.data(), at(50),
              at(90), at(99));
}

void run(const char* binary, int runs) {
  LauncherConfig config;
  config.node_id = Harness::unique_node_id();
  config.launcher_path = SUBITO_LAUNCHER_PATH;
  Harness harness(config);
  harness.set_artefact(binary);
  Samples spawn;
  Samples fresh;
  Samples pooled;
  std::vector<Samples> steps(kStepCount);
  for (int i = 0; i < runs; ++i) {
    ::usleep(kRestUs);
    spawn.push_back(time_spawn(binary));
    ::usleep(kRestUs);
    fresh.push_back(time_fresh(harness, binary, steps));
    ::usleep(kRestUs);
    pooled.push_back(time_pooled(harness, binary));
  }
  std::printf("us, n=%d                       p50    p90    p99\n", runs);
  print("posix_spawn", spawn);
  print("fresh", fresh);
  print("pooled", pooled);
  std::printf("steps of fresh (make cgroup runs beside the others on version 1)\n");
  for (std::uint32_t i = 1; i < static_cast<std::uint32_t>(Step::kAwaitLaunch); ++i) {
    print(to_string(Step(i)), steps[i]);
  }
}

}  // namespace
}  // namespace subito::sandbox

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sandbox_bench BINARY [RUNS]\n");
    return 2;
  }
  subito::sandbox::run(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 200);
}
