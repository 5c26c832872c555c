// The life of sandboxes: how they start, what is said when they do not, and what is left of them.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

pid_t child_named(pid_t parent, const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string status = entry.path().string() + "/status";
    if (text_in(status, "PPid:") == std::to_string(parent) && text_in(status, "Name:") == name) {
      return std::stoi(entry.path().filename());
    }
  }
  return -1;
}

constexpr CreateRequest kReuse = {.limits = {}, .reuse = true};

class SandboxTest : public ::testing::Test {
 protected:
  void start(const LauncherConfig& config) {
    config_ = config;
    harness_.emplace(config);
    harness_->set_artefact(SUBITO_ESCAPE_POD_PATH);
  }
  void SetUp() override { start(test_config()); }
  void TearDown() override {
    harness_.reset();
    EXPECT_EQ(count_cgroups(config_.node_id), 0);
    EXPECT_EQ(count_processes_of(config_.uid_base, config_.sandboxes_max), 0);
  }

  // The launcher's own child; it has its name once it runs.
  pid_t network_maker() {
    pid_t maker = -1;
    EXPECT_TRUE(eventually([&] {
      maker = child_named(harness_->client().launcher_pid(), "subito-network");
      return maker > 0;
    }));
    return maker;
  }
  SandboxId isolated() {
    const SandboxId id = harness_->create();
    harness_->await_created(id);
    return id;
  }
  // 0: it was not made by it.
  std::uint32_t network_maker_us(SandboxId id) {
    return harness_->await_created(id).step_us[static_cast<std::size_t>(Step::kMakeNetwork)];
  }

  SandboxControl::State await_outcome(SandboxId id) {
    SandboxControl::State state;
    EXPECT_TRUE(eventually([&] {
      state = harness_->control(id).read_outcome();
      return state.outcome != SandboxControl::Outcome::kPending;
    }));
    return state;
  }

  LauncherConfig config_;
  std::optional<Harness> harness_;
};

TEST_F(SandboxTest, FreshOneFindsItsRequestWaiting) {
  const SandboxId id = harness_->create();
  ASSERT_TRUE(harness_->launch(id, {"escape", "identity"}).has_value());
  EXPECT_EQ(await_outcome(id).outcome, SandboxControl::Outcome::kExecuted);
  EXPECT_EQ(harness_->await_end(id).output, "pid 1 uid 1000 gid 1000 groups 0\n");
}

TEST_F(SandboxTest, PooledOneWaitsUntilItIsGivenAFunction) {
  const SandboxId id = harness_->create(kReuse);
  EXPECT_GT(harness_->await_created(id).host_pid, 0);
  EXPECT_EQ(harness_->control(id).read_outcome().outcome, SandboxControl::Outcome::kPending);
  ASSERT_TRUE(harness_->launch(id, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_->await_end(id).output, "pid 1 uid 1000 gid 1000 groups 0\n");
}

TEST_F(SandboxTest, BytesWrittenToTheChannelBeforeTheSandboxExistsWaitForIt) {
  auto sockets = make_sandbox_sockets();
  ASSERT_TRUE(sockets.has_value());
  ASSERT_EQ(::write(sockets->node.channel.get(), "early", 5), 5);
  char text[8];
  EXPECT_EQ(::read(sockets->pod.channel.get(), text, sizeof text), 5);
}

TEST_F(SandboxTest, RunsASealedMemoryFile) {
  const UniqueFd source(::open(SUBITO_REGISTERS_POD_PATH, O_RDONLY | O_CLOEXEC));
  const UniqueFd copy(::memfd_create("artefact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  char part[4096];
  for (ssize_t size = 0; (size = ::read(source.get(), part, sizeof part)) > 0;) {
    ASSERT_EQ(::write(copy.get(), part, static_cast<std::size_t>(size)), size);
  }
  ASSERT_EQ(
      ::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
      0);
  const SandboxId id = harness_->create();
  LaunchRequest request;
  request.artefact_fd = copy.get();
  request.argv = {"registers"};
  ASSERT_TRUE(harness_->control(id).launch(request).has_value());
  EXPECT_EQ(harness_->await_end(id).output.size(), 120U);
}

TEST_F(SandboxTest, FailedStepIsNamedWithItsReason) {
  harness_.reset();
  LauncherConfig config = test_config();
  config.descriptors_max = 1U << 31;  // above fs.nr_open: the kernel refuses it even to root
  start(config);
  const SandboxId id = harness_->create();
  const Harness::Ended ended = harness_->await_end(id);
  ASSERT_TRUE(ended.create_failed.has_value());
  EXPECT_EQ(step_error(ended.create_failed->step, ended.create_failed->os_errno).message,
            "set user: Operation not permitted");
}

TEST_F(SandboxTest, FailedStepIsToldOnControlToo) {
  harness_.reset();
  LauncherConfig config = test_config();
  config.descriptors_max = 1U << 31;
  start(config);
  const SandboxId id = harness_->create();
  const SandboxControl::State state = await_outcome(id);
  EXPECT_EQ(state.outcome, SandboxControl::Outcome::kFailed);
  EXPECT_EQ(state.error.message, "set user: Operation not permitted");
}

TEST_F(SandboxTest, FailedExecIsToldToBoth) {
  harness_->set_artefact("/etc/passwd");
  const SandboxId id = harness_->create();
  ASSERT_TRUE(harness_->launch(id, {"passwd"}).has_value());
  EXPECT_EQ(await_outcome(id).error.message, "exec: Permission denied");
  const Harness::Ended ended = harness_->await_end(id);
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_EQ(ended.exited->failed_step, Step::kExec);
  EXPECT_EQ(ended.exited->failed_errno, EACCES);
}

TEST_F(SandboxTest, SandboxWhoseNodeForgotItEnds) {
  const SandboxId id = harness_->create();
  harness_->await_created(id);
  auto sockets = make_sandbox_sockets();
  harness_->control(id) = SandboxControl(std::move(sockets->node.control));
  const Harness::Ended ended = harness_->await_end(id);
  EXPECT_EQ(ended.exited->failed_step, Step::kAwaitLaunch);
}

TEST_F(SandboxTest, ChangedLimitsHoldBeforeTheFunctionRuns) {
  const SandboxId id = harness_->create();
  harness_->await_created(id);
  SandboxLimits limits;
  limits.pids_max = 8;
  limits.memory_bytes_max = 64 << 20;
  limits.cpu_millicores_max = 500;
  // A launcher that stands still: the request may not overtake the limits even then.
  const pid_t launcher = harness_->client().launcher_pid();
  ASSERT_TRUE(stops(launcher));
  ASSERT_TRUE(harness_->client().set_limits(id, limits).has_value());
  ASSERT_TRUE(harness_->launch(id, {"escape", "threads-without-end"}, true).has_value());
  pollfd executed = {harness_->control(id).fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&executed, 1, 100), 0);
  ASSERT_EQ(::kill(launcher, SIGCONT), 0);
  EXPECT_EQ(harness_->await_end(id).output, "made 7, then denied EAGAIN\n");
}

TEST_F(SandboxTest, LimitsMayRiseAndFall) {
  for (const std::uint64_t bytes : {std::uint64_t{160} << 20, std::uint64_t{16} << 20}) {
    const SandboxId id = harness_->create();
    SandboxLimits limits;
    limits.memory_bytes_max = bytes;
    ASSERT_TRUE(harness_->client().set_limits(id, limits).has_value());
    ASSERT_TRUE(harness_->launch(id, {"escape", "take-memory"}, true).has_value());
    const Harness::Ended ended = harness_->await_end(id);
    EXPECT_EQ(ended.exited->oom_kills, 1U);
    EXPECT_LE(ended.exited->memory_bytes_peak, bytes);
    EXPECT_GT(ended.exited->memory_bytes_peak, bytes / 2);
  }
}

TEST_F(SandboxTest, KilledOneIsReportedWithItsSignal) {
  const SandboxId id = harness_->create();
  ASSERT_TRUE(harness_->launch(id, {"escape", "spin"}).has_value());
  harness_->await_created(id);
  ASSERT_TRUE(harness_->client().kill(id).has_value());
  const Harness::Ended ended = harness_->await_end(id);
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_TRUE(WIFSIGNALED(ended.exited->wait_status));
  EXPECT_EQ(WTERMSIG(ended.exited->wait_status), SIGKILL);
  EXPECT_EQ(ended.exited->oom_kills, 0U);
}

TEST_F(SandboxTest, KillingAnUnknownOneDoesNothing) {
  ASSERT_TRUE(harness_->client().kill(SandboxId(4711)).has_value());
  EXPECT_EQ(harness_->run({"escape", "identity"}).exited->wait_status, 0);
}

TEST_F(SandboxTest, OneTooManyIsRefusedAndLaterWorks) {
  harness_.reset();
  LauncherConfig config = test_config();
  config.sandboxes_max = 2;
  start(config);
  const SandboxId first = harness_->create();
  const SandboxId second = harness_->create();
  const SandboxId third = harness_->create();
  const Harness::Ended refused = harness_->await_end(third);
  ASSERT_TRUE(refused.create_failed.has_value());
  EXPECT_EQ(refused.create_failed->os_errno, EAGAIN);
  harness_->kill_and_forget(first);
  harness_->kill_and_forget(second);
  EXPECT_TRUE(eventually([&] { return harness_->run({"escape", "identity"}).exited.has_value(); }));
}

TEST_F(SandboxTest, OneThatTheLauncherHasNoDescriptorsForIsRefusedAndTheOthersLive) {
  const SandboxId living = harness_->create();
  harness_->await_created(living);
  const pid_t launcher = harness_->client().launcher_pid();
  rlimit before{};
  ASSERT_EQ(::prlimit(launcher, RLIMIT_NOFILE, nullptr, &before), 0);
  // As many as it has, and one: of three that come two are lost.
  const rlimit few = {static_cast<rlim_t>(count_descriptors(launcher) + 1), before.rlim_max};
  ASSERT_EQ(::prlimit(launcher, RLIMIT_NOFILE, &few, nullptr), 0);
  const Harness::Ended refused = harness_->await_end(harness_->create());
  ASSERT_TRUE(refused.create_failed.has_value());
  EXPECT_EQ(refused.create_failed->os_errno, EMFILE);
  ASSERT_EQ(::prlimit(launcher, RLIMIT_NOFILE, &before, nullptr), 0);
  ASSERT_TRUE(harness_->launch(living, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_->await_end(living).exited->wait_status, 0);
  EXPECT_EQ(harness_->run({"escape", "identity"}).exited->wait_status, 0);
}

TEST_F(SandboxTest, LauncherLivesThroughAMessageThatCannotBeWritten) {
  const SandboxId id = harness_->create();
  const pid_t pod = harness_->await_created(id).host_pid;
  const pid_t launcher = harness_->client().launcher_pid();
  const auto ignored = [](pid_t pid) {
    return std::stoull(text_in("/proc/" + std::to_string(pid) + "/status", "SigIgn:"), nullptr, 16);
  };
  constexpr unsigned long long kBoth = 1ULL << (SIGPIPE - 1) | 1ULL << (SIGXFSZ - 1);
  EXPECT_EQ(ignored(launcher) & kBoth, kBoth);
  EXPECT_EQ(ignored(pod) & kBoth, 0U);
  const auto file_bytes = [](pid_t pid) {
    return text_in("/proc/" + std::to_string(pid) + "/limits", "Max file size");
  };
  EXPECT_EQ(file_bytes(launcher).substr(0, 9), "unlimited");
  EXPECT_EQ(std::stoull(file_bytes(pod)), config_.tmp_bytes_max);
}

TEST_F(SandboxTest, EachLivingOneHasAUidOfItsOwn) {
  const SandboxId first = harness_->create();
  const SandboxId second = harness_->create();
  struct stat one {};
  struct stat two {};
  const std::string proc = "/proc/";
  ASSERT_EQ(::stat((proc + std::to_string(harness_->await_created(first).host_pid)).c_str(), &one),
            0);
  ASSERT_EQ(::stat((proc + std::to_string(harness_->await_created(second).host_pid)).c_str(), &two),
            0);
  EXPECT_GE(one.st_uid, config_.uid_base);
  EXPECT_NE(one.st_uid, two.st_uid);
}

// "net:[4026531840]"
std::string namespace_of(pid_t pid, const std::string& kind) {
  char target[64] = {};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + kind;
  return ::readlink(path.c_str(), target, sizeof target - 1) > 0 ? target : "";
}
std::string network_of(pid_t pid) {
  return namespace_of(pid, "net");
}

TEST_F(SandboxTest, EveryNamespaceIsItsOwn) {
  const pid_t one = harness_->await_created(harness_->create()).host_pid;
  const pid_t two = harness_->await_created(harness_->create()).host_pid;
  for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) {
    std::set<std::string> different;
    for (const pid_t pid : {::getpid(), harness_->client().launcher_pid(), one, two}) {
      const std::string name = namespace_of(pid, kind);
      EXPECT_NE(name, "") << kind << " of " << pid;
      different.insert(name);
    }
    EXPECT_EQ(different.size(), 3U) << kind << ": the host's, and one for each pod";
  }
}

TEST_F(SandboxTest, CpuLimitHolds) {
  const std::string node = "/subito-" + config_.node_id + "/pod-";
  const auto throttled = [&](SandboxId id) {
    const std::string group = node + std::to_string(id.value());
    for (const char* hierarchy : {"/cpu", ""}) {
      const std::string file = std::string("/sys/fs/cgroup") + hierarchy + group + "/cpu.stat";
      if (const auto stat = read_at(AT_FDCWD, file.c_str())) {
        return value_of_key(*stat, "nr_throttled");
      }
    }
    return std::uint64_t{0};
  };
  CreateRequest request;
  request.limits.cpu_millicores_max = 100;
  const SandboxId slow = harness_->create(request);
  const SandboxId free = harness_->create();
  for (const SandboxId id : {slow, free}) {
    ASSERT_TRUE(harness_->launch(id, {"escape", "spin"}).has_value());
  }
  EXPECT_TRUE(eventually([&] { return throttled(slow) >= 3; }));
  EXPECT_EQ(throttled(free), 0U);
}

TEST_F(SandboxTest, AShareOfTheCpuIsTakenAtAnyTimeOfALife) {
  const auto is_half = [&](SandboxId id) {
    const std::string value = cpu_share_in_kernel(config_.node_id, id);
    return value == "512" || value == "50";  // version 1, version 2
  };
  // One still being made: the launcher stands still until both messages wait for it.
  const pid_t launcher = harness_->client().launcher_pid();
  ASSERT_TRUE(stops(launcher));
  const SandboxId early = harness_->create();
  ASSERT_TRUE(harness_->client().share_cpu(early, 500).has_value());
  ASSERT_EQ(::kill(launcher, SIGCONT), 0);
  EXPECT_TRUE(eventually([&] { return is_half(early); }));
  const SandboxId late = harness_->create();
  ASSERT_TRUE(harness_->launch(late, {"escape", "spin"}).has_value());
  EXPECT_EQ(await_outcome(late).outcome, SandboxControl::Outcome::kExecuted);
  harness_->await_created(late);
  EXPECT_FALSE(is_half(late));
  ASSERT_TRUE(harness_->client().share_cpu(late, 500).has_value());
  EXPECT_TRUE(eventually([&] { return is_half(late); }));
  EXPECT_FALSE(harness_->ended(late));
}

TEST_F(SandboxTest, AShareOfAnUnknownOneIsIgnored) {
  ASSERT_TRUE(harness_->client().share_cpu(SandboxId(4711), 500).has_value());
  EXPECT_EQ(harness_->run({"escape", "identity"}).exited->wait_status, 0);
}

TEST_F(SandboxTest, OnlyPooledOnesTakeOverWhatADeadOneHad) {
  const auto belongings = [&](SandboxId id) {
    const Created& created = harness_->await_created(id);
    return std::vector<std::string>{network_of(created.host_pid),
                                    namespace_of(created.host_pid, "ipc"),
                                    "cgroup " + std::to_string(created.cgroup.value())};
  };
  const SandboxId first = harness_->create();
  std::vector<std::string> used = belongings(first);
  EXPECT_NE(used[0], network_of(::getpid()));
  EXPECT_NE(used[1], namespace_of(::getpid(), "ipc"));
  harness_->kill_and_forget(first);
  const std::vector<std::string> fresh = belongings(harness_->create());
  for (std::size_t i = 0; i < used.size(); ++i) EXPECT_NE(fresh[i], used[i]);
  const SandboxId pooled = harness_->create(kReuse);
  if (!keeps_cgroups()) used[2] = "cgroup " + std::to_string(pooled.value());
  EXPECT_EQ(belongings(pooled), used);
  ASSERT_TRUE(harness_->launch(pooled, {"escape", "identity"}).has_value());
  EXPECT_EQ(harness_->await_end(pooled).exited->wait_status, 0);
}

// The network maker makes some of them, the children the rest.
TEST_F(SandboxTest, ManyAtOnceShareNoNetworkNamespace) {
  std::vector<SandboxId> created;
  for (int i = 0; i < 16; ++i) created.push_back(harness_->create());
  std::set<std::string> networks = {network_of(::getpid())};
  for (const SandboxId id : created) {
    networks.insert(network_of(harness_->await_created(id).host_pid));
  }
  EXPECT_EQ(networks.size(), created.size() + 1);
}

TEST_F(SandboxTest, OnesKilledAtOnceLeaveNoNetworkBehind) {
  harness_.reset();
  LauncherConfig config = test_config();
  config.namespace_reserve_max = 0;
  start(config);
  const pid_t launcher = harness_->client().launcher_pid();
  const int descriptors = count_descriptors(launcher);
  for (int i = 0; i < 50; ++i) harness_->kill_and_forget(harness_->create());
  harness_->kill_and_forget(isolated());
  EXPECT_TRUE(eventually([&] { return count_descriptors(launcher) == descriptors; }));
}

TEST_F(SandboxTest, NetworkMakerMakesTheNetwork) {
  EXPECT_GT(network_maker_us(isolated()), 0U);
}

TEST_F(SandboxTest, WithoutNetworkMakerSandboxesMakeTheirOwn) {
  ASSERT_EQ(::kill(network_maker(), SIGKILL), 0);
  const std::string home = network_of(::getpid());
  std::uint32_t by_maker = 1;
  // Its death is noticed in the launcher's own time.
  EXPECT_TRUE(eventually([&] {
    const SandboxId id = isolated();
    EXPECT_NE(network_of(harness_->await_created(id).host_pid), home);
    by_maker = network_maker_us(id);
    return by_maker == 0;
  }));
  EXPECT_EQ(harness_->run({"escape", "identity"}).exited->wait_status, 0);
}

TEST_F(SandboxTest, NobodyWaitsForANetworkMakerThatStandsStill) {
  harness_.reset();
  LauncherConfig config = test_config();
  config.network_wait = LauncherConfig().network_wait;
  start(config);
  const pid_t maker = network_maker();
  ASSERT_TRUE(stops(maker));
  const SandboxId kept = isolated();
  EXPECT_EQ(network_maker_us(kept), 0U);
  EXPECT_EQ(harness_->run({"escape", "identity"}).exited->wait_status, 0);
  // What was asked of it is pending still when the launcher ends: at the end of this test.
  harness_->kill_and_forget(kept);
}

TEST_F(SandboxTest, NetworkMakerThatDiesAtWorkHoldsNothingUp) {
  const pid_t maker = network_maker();
  ASSERT_TRUE(stops(maker));
  const SandboxId id = harness_->create();
  ASSERT_EQ(::kill(maker, SIGKILL), 0);
  harness_->await_created(id);
  harness_->kill_and_forget(id);
  EXPECT_EQ(harness_->run({"escape", "identity"}).exited->wait_status, 0);
}

TEST_F(SandboxTest, NetworkMakerDiesWithTheLauncher) {
  const UniqueFd life = open_pidfd(network_maker());
  ASSERT_TRUE(life.valid());
  ASSERT_EQ(::kill(harness_->client().launcher_pid(), SIGKILL), 0);
  EXPECT_TRUE(ends_within(life, kHarnessDeadline));
  EXPECT_TRUE(sweep_node("/sys/fs/cgroup", config_.node_id, kHarnessDeadline).has_value());
}

TEST_F(SandboxTest, StepTimesAreReported) {
  const SandboxId id = harness_->create();
  const StepTimes& times = harness_->await_created(id).step_us;
  EXPECT_GT(times[static_cast<std::size_t>(Step::kMakeNamespaces)], 0U);
  EXPECT_GT(times[static_cast<std::size_t>(Step::kMakeCgroup)], 0U);
}

TEST_F(SandboxTest, ThousandLeaveNothingBehind) {
  const pid_t launcher = harness_->client().launcher_pid();
  const int hierarchies = count_cgroups(config_.node_id);  // the node's own: one each
  ASSERT_GT(hierarchies, 0);
  const int cgroups = hierarchies * (1 + static_cast<int>(config_.cgroup_reserve_max));
  const auto run_some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(
          harness_->run({"escape", "identity"}, i % 2 == 0 ? CreateRequest{} : kReuse).exited);
    }
    ASSERT_TRUE(eventually([&] { return count_cgroups(config_.node_id) <= cgroups; }));
  };
  // Fills the reserves: of pods that live until they are seen.
  for (std::uint32_t i = 0; i < config_.namespace_reserve_max; ++i) {
    const SandboxId id = harness_->create();
    harness_->await_created(id);
    harness_->kill_and_forget(id);
  }
  run_some(100);
  const int descriptors = count_descriptors(launcher);
  const int own_descriptors = count_descriptors(::getpid());
  const int mounts = count_mounts(launcher);
  const long resident = resident_kib(launcher);
  run_some(1000);
  EXPECT_LE(count_descriptors(launcher), descriptors);
  EXPECT_EQ(count_descriptors(::getpid()), own_descriptors);
  EXPECT_EQ(count_mounts(launcher), mounts);
  EXPECT_LE(resident_kib(launcher), resident + 64);
  EXPECT_EQ(count_processes_of(config_.uid_base, config_.sandboxes_max), 0);
}

}  // namespace
}  // namespace subito::sandbox::testing
