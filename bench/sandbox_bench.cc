// sandbox_bench FUNCTION [RUNS]: what isolation costs, without node, event loop or HTTP. In one
// interleaved run: posix_spawn of FUNCTION (a binary that answers POST / with 200, as
// functions/echo does), a fresh sandbox, a fresh one in the network namespace of a dead one, a
// pooled one; each from the decision to the answer. Prints p50, p90 and p99, and those of each step
// of the fresh.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "bench/child.h"
#include "bench/pod_request.h"
#include "runtime/base/check.h"
#include "runtime/sandbox/sandbox_harness.h"

namespace subito::bench {
namespace {

using Samples = std::vector<std::uint64_t>;
constexpr useconds_t kRestUs = 10'000;  // between starts, as real life does
constexpr std::chrono::seconds kGrace{5};

std::uint64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

struct Function {
  std::string path;
  std::string frames;
};

void write_request(int channel, const Function& function) {
  const auto size = static_cast<ssize_t>(function.frames.size());
  CHECK(::send(channel, function.frames.data(), function.frames.size(), MSG_NOSIGNAL) == size);
}

void await_answer(int channel) {
  const auto answer = read_answer(channel);
  if (!answer) std::fprintf(stderr, "%s\n", answer.error().message.c_str());
  CHECK(answer.has_value() && answer->status == 200);
}

std::uint64_t time_spawn(const Function& function) {
  const std::uint64_t begin = now_us();
  int ends[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  write_request(ours.get(), function);
  auto child = start(StartBy::kPosixSpawn, {function.path, {"bench"}}, -1, {theirs.get(), 0, 2});
  CHECK(child.has_value());
  theirs.reset();
  await_answer(ours.get());
  const std::uint64_t took = now_us() - begin;
  ours.reset();
  CHECK(child->end(kGrace).has_value());
  return took;
}

void end(sandbox::Harness& harness, sandbox::SandboxId id) {
  harness.ends(id).channel.reset();
  (void)harness.await_end(id);
}

std::uint64_t time_fresh(sandbox::Harness& harness, const Function& function, bool reuse_network,
                         std::vector<Samples>* steps) {
  const std::uint64_t begin = now_us();
  sandbox::CreateRequest request;
  request.reuse_network = reuse_network;
  const sandbox::SandboxId id = harness.create(request);
  const int channel = harness.ends(id).channel.get();
  write_request(channel, function);
  CHECK(harness.launch(id, {"bench"}).has_value());
  await_answer(channel);
  const std::uint64_t took = now_us() - begin;
  const sandbox::StepTimes& times = harness.await_created(id).step_us;
  for (std::size_t i = 0; steps != nullptr && i < sandbox::kStepCount; ++i) {
    (*steps)[i].push_back(times[i]);
  }
  end(harness, id);
  return took;
}

std::uint64_t time_pooled(sandbox::Harness& harness, const Function& function) {
  sandbox::CreateRequest request;
  request.reuse_network = true;
  const sandbox::SandboxId id = harness.create(request);
  harness.await_created(id);
  ::usleep(kRestUs);
  const int channel = harness.ends(id).channel.get();
  const std::uint64_t begin = now_us();
  write_request(channel, function);
  CHECK(harness.launch(id, {"bench"}).has_value());
  await_answer(channel);
  const std::uint64_t took = now_us() - begin;
  end(harness, id);
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

void measure(const Function& function, int runs) {
  sandbox::LauncherConfig config;
  config.node_id = sandbox::Harness::unique_node_id();
  config.launcher_path = SUBITO_LAUNCHER_PATH;
  sandbox::Harness harness(config);
  harness.set_artefact(function.path);
  Samples spawn;
  Samples fresh;
  Samples reused;
  Samples pooled;
  std::vector<Samples> steps(sandbox::kStepCount);
  for (int i = 0; i < runs; ++i) {
    ::usleep(kRestUs);
    spawn.push_back(time_spawn(function));
    ::usleep(kRestUs);
    fresh.push_back(time_fresh(harness, function, false, &steps));
    ::usleep(kRestUs);
    reused.push_back(time_fresh(harness, function, true, nullptr));
    ::usleep(kRestUs);
    pooled.push_back(time_pooled(harness, function));
  }
  std::printf("us, n=%-5d                   p50    p90    p99\n", runs);
  print("posix_spawn", spawn);
  print("fresh", fresh);
  print("fresh, network reused", reused);
  print("pooled", pooled);
  std::printf("steps of fresh (its network namespace is made beside them)\n");
  for (std::uint32_t i = 1; i < static_cast<std::uint32_t>(sandbox::Step::kAwaitLaunch); ++i) {
    print(sandbox::to_string(sandbox::Step(i)), steps[i]);
  }
}

}  // namespace
}  // namespace subito::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sandbox_bench FUNCTION [RUNS]\n");
    return 2;
  }
  const auto frames = subito::bench::request_frames({});
  CHECK(frames.has_value());
  subito::bench::measure({argv[1], *frames}, argc > 2 ? std::max(1, std::atoi(argv[2])) : 200);
}
