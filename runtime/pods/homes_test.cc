// Both homes with real processes; the sandbox one needs root.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "runtime/pods/process_home.h"
#include "runtime/pods/sandbox_home.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::pods {
namespace {

struct Exits : HomeEvents {
  void on_pod_exited(const PodExit& exit) override { exits.push_back(exit); }
  void on_home_lost(const Error& error) override { lost = error; }
  std::vector<PodExit> exits;
  std::optional<Error> lost;
};

PodSpec escape_pod(std::uint64_t id, std::vector<std::string> args) {
  PodSpec spec;
  spec.id = PodId(id);
  spec.name = "escape";
  spec.artefact_path = SUBITO_ESCAPE_POD_PATH;
  spec.args = std::move(args);
  return spec;
}

template <typename Condition>
bool turn_until(Loop& loop, const Condition& condition) {
  const TimePoint deadline = loop.now() + std::chrono::seconds(20);
  Timer tick(loop, [] {});
  while (!condition()) {
    if (loop.now() > deadline) return false;
    tick.start(std::chrono::milliseconds(10));
    loop.turn(true);
  }
  return true;
}

std::string read_text(int fd) {
  char buffer[512];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

TEST(ProcessHomeTest, StartsAProcessAndTellsHowItEnded) {
  Loop loop;
  Exits events;
  ProcessHome home(loop, events);
  auto started = home.start(escape_pod(1, {"climb"}));
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(started->mode, StartMode::kProcess);
  ASSERT_TRUE(turn_until(loop, [&] { return !events.exits.empty(); }));
  EXPECT_EQ(events.exits[0].cause, PodExit::Cause::kExited);
}

TEST(ProcessHomeTest, SaysWhatCannotBeStarted) {
  Loop loop;
  Exits events;
  ProcessHome home(loop, events);
  PodSpec spec = escape_pod(1, {});
  spec.artefact_path = "/nonexistent";
  auto started = home.start(spec);
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("/nonexistent"), std::string::npos);
}

class SandboxHomeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "sandboxes need root";
    SandboxHomeConfig config;
    config.launcher.node_id = node_id;
    config.launcher.launcher_path = SUBITO_LAUNCHER_PATH;
    config.pool_size = 2;
    auto made = SandboxHome::create(loop, events, config);
    ASSERT_TRUE(made) << made.error().message;
    home = *std::move(made);
  }

  Loop loop;
  Exits events;
  std::unique_ptr<SandboxHome> home;
  const std::string node_id = "home-test-" + std::to_string(::getpid());
};

TEST_F(SandboxHomeTest, FillsItsPoolAndSaysWhatItCosts) {
  ASSERT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
  EXPECT_GT(home->ready_pool().memory_bytes, 2U * 4096);
  EXPECT_LT(home->ready_pool().memory_bytes, 8U << 20);
}

TEST_F(SandboxHomeTest, StartsInAnEmptySandboxAndRefillsThePool) {
  ASSERT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
  auto started = home->start(escape_pod(1, {"climb"}));
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(started->mode, StartMode::kPooled);
  EXPECT_EQ(home->ready_pool().sandboxes, 1U);
  ASSERT_TRUE(turn_until(loop, [&] { return !events.exits.empty(); }));
  EXPECT_NE(events.exits[0].cause, PodExit::Cause::kStartFailed) << events.exits[0].message;
  EXPECT_FALSE(read_text(started->stdio.get()).empty());
  EXPECT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
}

TEST_F(SandboxHomeTest, MakesAFreshSandboxWhenThePoolIsEmpty) {
  ASSERT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
  std::vector<StartMode> modes;
  std::vector<StartedPod> kept;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    auto started = home->start(escape_pod(id, {"climb"}));
    ASSERT_TRUE(started);
    modes.push_back(started->mode);
    kept.push_back(*std::move(started));
  }
  EXPECT_EQ(modes, (std::vector{StartMode::kPooled, StartMode::kPooled, StartMode::kFresh}));
  EXPECT_TRUE(turn_until(loop, [&] { return events.exits.size() == 3; }));
}

// The network namespace of a pod that has one by now.
class SandboxNetworkTest : public SandboxHomeTest {
 protected:
  ino_t network_of(std::uint64_t pod) {
    EXPECT_TRUE(turn_until(loop, [&] { return home->host_pid(PodId(pod)) != 0; }));
    struct stat info = {};
    const auto path = "/proc/" + std::to_string(home->host_pid(PodId(pod))) + "/ns/net";
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_ino;
  }
  void start(std::uint64_t pod, StartMode mode) {
    PodSpec spec = escape_pod(pod, {"stay"});
    spec.mode = mode;
    auto started = home->start(spec);
    ASSERT_TRUE(started);
    kept.push_back(*std::move(started));
  }
  std::vector<StartedPod> kept;
};

TEST_F(SandboxNetworkTest, OfADeadPodIsForAllButFreshFunctions) {
  ASSERT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
  start(1, StartMode::kFresh);
  const ino_t first = network_of(1);
  home->kill(PodId(1));
  ASSERT_TRUE(turn_until(loop, [&] { return events.exits.size() == 1; }));
  start(2, StartMode::kFresh);
  for (std::uint64_t pod = 3; pod <= 5; ++pod) start(pod, StartMode::kPooled);
  EXPECT_NE(network_of(2), first);
  EXPECT_EQ(network_of(5), first) << "found no empty sandbox";
}

TEST_F(SandboxHomeTest, TellsWhichStepFailed) {
  PodSpec spec = escape_pod(1, {});
  spec.artefact_path = "/etc/hostname";  // no program
  spec.mode = StartMode::kFresh;
  auto started = home->start(spec);
  ASSERT_TRUE(started);
  ASSERT_TRUE(turn_until(loop, [&] { return !events.exits.empty(); }));
  EXPECT_EQ(events.exits[0].cause, PodExit::Cause::kStartFailed);
  EXPECT_EQ(events.exits[0].message.rfind("start pod: exec", 0), 0U) << events.exits[0].message;
}

TEST_F(SandboxHomeTest, KillsAPod) {
  auto started = home->start(escape_pod(1, {"stay"}));
  ASSERT_TRUE(started);
  const auto runs = [&] {
    const pid_t pid = home->host_pid(PodId(1));
    std::string arguments;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/cmdline"), arguments);
    return pid != 0 && arguments.find("stay") != arguments.npos;
  };
  ASSERT_TRUE(turn_until(loop, runs));
  home->kill(PodId(1));
  ASSERT_TRUE(turn_until(loop, [&] { return !events.exits.empty(); }));
  EXPECT_EQ(events.exits[0].cause, PodExit::Cause::kSignalled);
  EXPECT_EQ(events.exits[0].code, SIGKILL);
}

TEST_F(SandboxHomeTest, KillsAPodThoughTheLauncherIsFarBehind) {
  std::vector<StartedPod> kept;
  for (std::uint64_t id = 1; id <= 2; ++id) {
    auto started = home->start(escape_pod(id, {"spin"}));
    ASSERT_TRUE(started);
    kept.push_back(*std::move(started));
  }
  ASSERT_TRUE(sandbox::testing::stops(home->launcher_pid()));
  for (int i = 0; i < 20'000; ++i) home->kill(PodId(1));  // more than its socket holds
  home->kill(PodId(2));
  ::kill(home->launcher_pid(), SIGCONT);
  EXPECT_TRUE(turn_until(loop, [&] { return events.exits.size() == 2; }));
}

TEST_F(SandboxHomeTest, SharesTheCpuThoughTheLauncherIsFarBehind) {
  auto started = home->start(escape_pod(1, {"spin"}));
  ASSERT_TRUE(started);
  home->share_cpu(PodId(4711), 500);  // unknown
  ASSERT_TRUE(sandbox::testing::stops(home->launcher_pid()));
  for (std::uint32_t i = 0; i < 20'000; ++i)
    home->share_cpu(PodId(1), 1000 + i);  // more than it holds
  home->share_cpu(PodId(1), 250);
  ::kill(home->launcher_pid(), SIGCONT);
  const auto quarters = [&] {
    int count = 0;
    for (std::uint64_t id = 1; id <= 3; ++id) {  // it, and the two of the pool
      const std::string share =
          sandbox::testing::cpu_share_in_kernel(node_id, sandbox::SandboxId(id));
      count += share == "256" || share == "25" ? 1 : 0;  // version 1, version 2
    }
    return count;
  };
  EXPECT_TRUE(turn_until(loop, [&] { return quarters() == 1; }));
}

TEST_F(SandboxHomeTest, IsLostWithItsLauncher) {
  ASSERT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
  ::kill(home->launcher_pid(), SIGKILL);
  EXPECT_TRUE(turn_until(loop, [&] { return events.lost.has_value(); }));
}

class TemplatesTest : public SandboxHomeTest {
 protected:
  void keep(std::uint64_t key, std::vector<std::string> args) {
    ASSERT_TRUE(home->keep_template(key, escape_pod(0, std::move(args)),
                                    [this](const TemplateView& view) { told.push_back(view); }));
  }
  Result<StartedPod> start(std::uint64_t key) {
    PodSpec spec = escape_pod(key, {"identity"});
    spec.mode = StartMode::kTemplate;
    spec.template_key = key;
    return home->start(spec);
  }

  std::vector<TemplateView> told;
};

int groups_with_shared_memory(const std::string& node_id) {
  int count = 0;
  for (const char* hierarchy : {"/memory", ""}) {
    std::error_code none;
    const std::string root = std::string("/sys/fs/cgroup") + hierarchy + "/subito-" + node_id;
    for (const auto& group : std::filesystem::directory_iterator(root, none)) {
      const std::string bytes =
          sandbox::testing::text_in(group.path().string() + "/memory.stat", "shmem ");
      count += bytes.empty() || bytes == "0" ? 0 : 1;
    }
  }
  return count;
}

TEST_F(TemplatesTest, PodsBeginAsTheImageAndStartPooledUntilThereIsOne) {
  ASSERT_TRUE(turn_until(loop, [&] { return home->ready_pool().sandboxes == 2; }));
  keep(1, {"template", "session"});
  EXPECT_EQ(home->template_of(1).state, TemplateView::State::kMaking);
  auto before = start(1);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->mode, StartMode::kPooled);
  ASSERT_TRUE(turn_until(loop, [&] { return events.exits.size() == 1 && !told.empty(); }));
  EXPECT_EQ(read_text(before->stdio.get()), "pid 1 uid 1000 gid 1000 groups 0\n");
  ASSERT_EQ(told[0].state, TemplateView::State::kReady) << told[0].fault;
  EXPECT_GT(told[0].memory_bytes, 0U);
  EXPECT_EQ(home->ready_pool().templates, 1U);
  EXPECT_EQ(home->ready_pool().template_bytes, told[0].memory_bytes);
  EXPECT_TRUE(turn_until(loop, [&] { return groups_with_shared_memory(node_id) == 0; }))
      << "an image is charged to no group that another pod may have";
  for (std::uint64_t pods = 2; pods <= 4; ++pods) {  // pooled, and fresh once the pool is empty
    auto started = start(1);
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(started->mode, StartMode::kTemplate);
    ASSERT_TRUE(turn_until(loop, [&] { return events.exits.size() == pods; }));
    EXPECT_EQ(read_text(started->stdio.get()), "session 1 group 1\n");
  }
}

TEST_F(TemplatesTest, WhatLeavesNoImageIsToldAndTriedAgain) {
  keep(1, {"climb"});
  ASSERT_TRUE(turn_until(loop, [&] { return told.size() == 2; }));
  for (const TemplateView& view : told) {
    EXPECT_EQ(view.state, TemplateView::State::kFailed);
    EXPECT_EQ(view.fault, "exited with status 0 (it printed last: denied ENOENT)");
  }
  EXPECT_EQ(home->ready_pool().templates, 0U);
}

TEST_F(TemplatesTest, MayPrintMoreThanASocketHoldsBeforeItIsOne) {
  keep(1, {"template-with", "lines", "session"});
  ASSERT_TRUE(turn_until(loop, [&] { return !told.empty(); }));
  EXPECT_EQ(told[0].state, TemplateView::State::kReady) << told[0].fault;
}

TEST_F(TemplatesTest, ADroppedOneIsGoneWhetherReadyOrInTheMaking) {
  keep(1, {"template", "session"});
  ASSERT_TRUE(turn_until(loop, [&] { return told.size() == 1; }));
  home->drop_template(1);
  EXPECT_EQ(home->ready_pool().templates, 0U);
  EXPECT_EQ(home->template_of(1).state, TemplateView::State::kNone);
  auto started = start(1);
  ASSERT_TRUE(started);
  EXPECT_NE(started->mode, StartMode::kTemplate);
  keep(2, {"stay"});  // never leaves one
  home->drop_template(2);
  keep(3, {"template", "session"});
  ASSERT_TRUE(turn_until(loop, [&] { return told.size() == 2; }));
  EXPECT_EQ(told[1].state, TemplateView::State::kReady);
  // Those of the pool are all that is left.
  EXPECT_TRUE(turn_until(loop, [&] {
    return sandbox::testing::count_cgroups(node_id) > 0 && events.exits.size() == 1 &&
           home->ready_pool().sandboxes == 2;
  }));
}

TEST_F(TemplatesTest, OneWhoseProcessIsKilledIsMadeAgain) {
  keep(1, {"stay"});
  const std::string processes = "/proc/" + std::to_string(home->launcher_pid()) + "/task/" +
                                std::to_string(home->launcher_pid()) + "/children";
  const auto kill_all = [&] {
    std::ifstream children(processes);
    for (pid_t pid = 0; children >> pid;) ::kill(pid, SIGKILL);  // the pool's too
    return !told.empty();
  };
  ASSERT_TRUE(turn_until(loop, kill_all));
  EXPECT_EQ(told[0].state, TemplateView::State::kFailed) << "early or late";
  EXPECT_NE(told[0].fault, "");
  auto meanwhile = start(1);
  ASSERT_TRUE(meanwhile);
  EXPECT_NE(meanwhile->mode, StartMode::kTemplate);
  EXPECT_TRUE(turn_until(loop, [&] {
    return home->template_of(1).state == TemplateView::State::kMaking;
  })) << "it is tried again";
}

TEST(WordsTest, SayHowAPodEnded) {
  PodExit exit;
  exit.code = 3;
  EXPECT_EQ(words(exit, 0), "exited with status 3");
  exit.cause = PodExit::Cause::kSignalled;
  exit.code = SIGSEGV;
  EXPECT_EQ(words(exit, 0), "ended by SIGSEGV");
  exit.cause = PodExit::Cause::kOutOfMemory;
  EXPECT_EQ(words(exit, 128 << 20), "out of memory (limit 128 MiB)");
}

}  // namespace
}  // namespace subito::pods
